-- What `chatty init` writes beside the settings: a plugin, its spec, and where editors find the stubs.

local first_files = {}

first_files.plugin = [[
-- A first plugin: one route, and one answer to the messages of clients.
local chatty = require "chatty"

local hello = { api = 1, doc = "Greets users, over HTTP and in their sessions." }

function hello.setup(app)
  -- curl -H "Authorization: Bearer $(chatty token --sub ann)" http://localhost:3000/hello
  app:get("/hello", { auth = "jwt" }, function(request)
    return { json = { msg = "hello " .. request.user } }
  end)

  -- A client sends {"event":"hello","attributes":{}}: every session of its user gets a hello back.
  -- What the hook returns is the acknowledgement of the frame.
  app:on("message", function(session, event)
    if event.name ~= "hello" then return end
    chatty.notify { users = { session.user }, event = "hello", attributes = { to = session.user } }
    return { greeted = true }
  end)
end

return hello
]]

first_files.spec = [[
-- What the plugin does, tried out: chatty test
describe("the plugin hello", function()
  local t = require("chatty.test").plugin("plugins/hello.lua")

  it("greets users over HTTP", function()
    assert.same({ msg = "hello ann" }, t:get("/hello", { user = "ann" }).json)
  end)

  it("says nothing to strangers", function()
    assert.equal(401, t:get("/hello").status)
  end)

  it("answers every session of a user", function()
    local phone, laptop, bob = t:connect("ann"), t:connect("ann"), t:connect("bob")
    assert.same({ greeted = true }, phone:ask("hello"))
    assert.same({ event = "hello", attributes = { to = "ann" } }, phone:next())
    assert.equal("hello", laptop:next().event)
    bob:none()
  end)
end)
]]

-- For the Lua language server (LuaLS).
local EDITOR = [[
{
  "runtime.version": "Lua 5.4",
  "workspace.library": [%s]
}
]]

--- The text of .luarc.json.
---@param stubs string  the folder of the stubs, as a JSON string
---@return string
function first_files.editor(stubs)
  return EDITOR:format(stubs)
end

return first_files
