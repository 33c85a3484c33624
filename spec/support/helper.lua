--- Loaded by busted before all specs (see .busted). It loads the support once, although busted gives each
--- spec file fresh modules, and ends what a test or a file left behind: also after a failure.
local busted = require "busted"
local process = require "spec.support.process"
local server = require "spec.support.server"
local tcp = require "spec.support.tcp"
local uv = require "luv"

local before = {}

busted.subscribe({ "test", "start" }, function()
  before = server.running()
end)

busted.subscribe({ "test", "end" }, function()
  server.stop_new(before)
end)

busted.subscribe({ "file", "end" }, function()
  tcp.close_all()
  local ok, fault = pcall(server.stop_new, {})
  process.kill_all()
  server.remove_folders()
  if not ok then error(fault, 0) end
end)

-- luv must not meet an open or half-closed handle when the Lua state closes: it would touch freed memory.
busted.subscribe({ "suite", "end" }, function()
  uv.walk(function(handle)
    if not handle:is_closing() then handle:close() end
  end)
  uv.run()
end)
