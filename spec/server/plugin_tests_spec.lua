-- `chatty test` as its users see it: what it runs, what it prints, how it ends.
local server = require "spec.support.server"

local PLUGIN = [[
local chatty = require "chatty"
local hello = { api = 1 }
function hello.setup(app)
  app:get("/hello", { auth = "none" }, function() return { text = "hello" } end)
  app:on("message", function(session, event)
    if event.name == "fault" then
      local nothing
      return nothing.field
    end
    chatty.log.error("a line of the plugin's own")
  end)
end
return hello
]]

-- Runs chatty test with a folder of these files; the plugin lies in plugins/hello.lua.
local function run(files, ...)
  files["plugins/hello.lua"] = files["plugins/hello.lua"] or PLUGIN
  return server.run{ args = { "test", ... }, files = files }
end

-- A spec with one test of this body, in which `t` is a server with the plugin.
local function spec_of(body)
  return ([[
describe("hello", function()
  local t = require("chatty.test").plugin("plugins/hello.lua")
  it("does something", function()
    %s
  end)
end)
]]):format(body)
end

local function last_line(result)
  return (result.out:match("([^\n]*)\n?$"):gsub(" : .*", ""))
end

local function run_body(body)
  return run{ ["plugins/hello_spec.lua"] = spec_of(body) }
end

describe("chatty test", function()
  it("passes with 0 when all tests pass, and prints busted's sums", function()
    local result = run_body('assert.equal("hello", t:get("/hello").body)')
    assert.same({ 0, "", "1 success / 0 failures / 0 errors / 0 pending" },
      { result.code, result.err, last_line(result) })
    assert.matches("%d tests? in %d+%.%d+ s of the processor, %d+ a second\n", result.out)
  end)

  it("reports a failed test with its place, and ends with 1", function()
    local result = run_body('assert.equal("hallo", t:get("/hello").body)')
    assert.same({ 1, "0 successes / 1 failure / 0 errors / 0 pending" }, { result.code, last_line(result) })
    assert.matches("\nFailure: hello does something\n", result.out, 1, true)
    assert.matches('Passed in:\n  "hello"\n  Expected:\n  "hallo"\n', result.out, 1, true)
    assert.matches("at plugins/hello_spec.lua:4: in function <plugins/hello_spec.lua:3>\n", result.out, 1, true)
  end)

  it("reports an error in a test, without our own lines", function()
    local result = run_body("local nothing; nothing.field = 1")
    assert.same({ 1, "0 successes / 0 failures / 1 error / 0 pending" }, { result.code, last_line(result) })
    assert.matches("plugins/hello_spec.lua:4: attempt to index a nil value (local 'nothing')", result.out, 1, true)
    assert.is_nil(result.out:find("lua/test/", 1, true))
  end)

  it("reports an error of the plugin with the plugin's file and line", function()
    local result = run_body('t:connect("ann"):ask("fault")')
    assert.equal(1, result.code)
    assert.matches("plugin hello, hook message: plugins/hello.lua:8: attempt to index a nil value", result.out, 1, true)
    assert.matches("\n    at plugins/hello.lua:8: in ", result.out, 1, true)
    assert.is_nil(result.out:find("lua/hooks.lua", 1, true))
  end)

  it("fails a test whose server logs an error that nobody expects", function()
    local result = run_body('t:connect("ann"):send("x")')
    assert.same({ 1, "0 successes / 0 failures / 1 error / 0 pending" }, { result.code, last_line(result) })
    assert.matches("The server logged an error: a line of the plugin's own", result.out, 1, true)
  end)

  it("passes when the error is expected", function()
    local result = run_body('t:connect("ann"):send("x") t:expect_log("a line of the plugin\'s own")')
    assert.equal(0, result.code)
  end)

  it("reports a plugin that does not load", function()
    local result = run{
      ["plugins/hello.lua"] = "return { api = 1, setup = function(app)\n  app:gett()\nend }\n",
      ["plugins/hello_spec.lua"] = spec_of't:get("/hello")',
    }
    assert.equal(1, result.code)
    assert.matches("plugin hello: plugins/hello.lua:2: ", result.out, 1, true)
  end)

  it("reports a spec that cannot be read, and runs the others", function()
    local result = run{ ["plugins/a_spec.lua"] = "describe(", ["plugins/b_spec.lua"] = 'error("no")',
      ["plugins/c_spec.lua"] = 'describe("c", function() it("runs", function() end) error("later") end)' }
    assert.same({ 1, "1 success / 0 failures / 3 errors / 0 pending" }, { result.code, last_line(result) })
    assert.matches("plugins/a_spec.lua:1: ", result.out, 1, true)
    assert.matches("plugins/b_spec.lua:1: no", result.out, 1, true)
    assert.matches("plugins/c_spec.lua:1: later", result.out, 1, true)
  end)

  it("says where a server belongs that is used elsewhere", function()
    local result = run{ ["plugins/hello_spec.lua"] = [[
      describe("hello", function()
        local t = require("chatty.test").plugin("plugins/hello.lua")
        setup(function() t:get("/hello") end)
        it("never runs", function() end)
      end)
    ]] }
    assert.same({ 1, "0 successes / 0 failures / 1 error / 0 pending" }, { result.code, last_line(result) })
    assert.matches("a server runs within a test only", result.out, 1, true)
  end)

  it("counts what is pending, and names it", function()
    local result = run{ ["plugins/hello_spec.lua"] = [[
      local later = pending
      later("one day")
      it("stops halfway", function() later("not yet") error("never comes here") end)
    ]] }
    assert.same({ 0, "0 successes / 0 failures / 0 errors / 2 pending" }, { result.code, last_line(result) })
    assert.matches("Pending: one day\n", result.out, 1, true)
    assert.matches("Pending: stops halfway\n  plugins/hello_spec.lua:3\n  not yet\n", result.out, 1, true)
  end)

  it("runs what stands around tests in its order, also after a failure", function()
    local result = run{ ["plugins/hello_spec.lua"] = [[
      local order = {}
      local function note(word) return function() order[#order + 1] = word end end
      describe("outer", function()
        setup(note "setup")
        before_each(note "before")
        after_each(note "after")
        teardown(function() print(table.concat(order, " ")) end)
        describe("inner", function()
          before_each(note "before inner")
          after_each(note "after inner")
          it("one", function() finally(note "finally") note("one")() error("halfway") end)
          it("two", note "two")
        end)
      end)
    ]] }
    assert.equal("1 success / 0 failures / 1 error / 0 pending", last_line(result))
    local one = "before before inner one finally after inner after"
    assert.matches(("setup %s before before inner two after inner after\n"):format(one), result.out, 1, true)
  end)

  it("finds the spec of a plugin, those of a folder plugin, and all below a folder", function()
    local spec = 'it("runs", function() end)'
    local files = { ["plugins/hello_spec.lua"] = spec, ["plugins/other_spec.lua"] = spec,
      ["plugins/shop/init.lua"] = "", ["plugins/shop/one_spec.lua"] = spec, ["plugins/shop/deep/two_spec.lua"] = spec }
    for arguments, count in pairs{ [{ "plugins/hello.lua" }] = 1, [{ "plugins/hello" }] = 1, [{}] = 4,
      [{ "plugins/shop/init.lua" }] = 2, [{ "plugins/other_spec.lua", "plugins" }] = 4 } do
      assert.matches(("^%d success"):format(count), last_line(run(files, table.unpack(arguments))))
    end
  end)

  it("runs the tests whose names match a filter", function()
    local files = { ["plugins/hello_spec.lua"] = 'it("one", function() end) it("two", function() end)' }
    assert.equal("1 success / 0 failures / 0 errors / 0 pending", last_line(run(files, "--filter=^tw")))
  end)

  it("lets a spec have helpers of its own beside it", function()
    local result = run{ ["plugins/words.lua"] = 'return { word = "hello" }', ["plugins/hello_spec.lua"] =
      spec_of'assert.equal(require("words").word, t:get("/hello").body)' }
    assert.equal(0, result.code)
  end)

  it("says in one line what it cannot run, and ends with 2", function()
    for argument, line in pairs{ nothing = "there is no file or folder nothing",
      ["plugins/hello.lua"] = "plugins/hello.lua has no spec: there is no plugins/hello_spec.lua",
      plugins = "there is no *_spec.lua in plugins" } do
      local result = run({}, argument)
      assert.same({ 2, "chatty: " .. line, "" }, { result.code, result.err, result.out })
    end
  end)

  it("does not look at .env and the environment", function()
    local result = run{ [".env"] = "OFFLINE_GRACE=nonsense\nENABLE=nothing\n", ["plugins/hello_spec.lua"] =
      spec_of'assert.equal("hello", t:get("/hello").body)' }
    assert.equal(0, result.code)
  end)
end)
