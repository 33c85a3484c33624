local cjson = require "cjson"
local cli_context = require "spec.support.cli_context"
local routes = require "cli.routes"

local ROUTES = {
  { method = "GET", path = "/healthz", plugin = "chatty", guard = "none", doc = "Whether it lives." },
  { method = "POST", path = "/control/notify", plugin = "chatty", guard = "control:notify" },
}

describe("chatty routes", function()
  it("prints every route with its plugin and guard, aligned", function()
    local context = cli_context.make { routes = ROUTES }
    assert.equal(0, routes.run(context))
    assert.same({
      "METHOD  PATH             PLUGIN  GUARD           MEANING",
      "GET     /healthz         chatty  none            Whether it lives.",
      "POST    /control/notify  chatty  control:notify",
    }, context.out)
  end)

  it("prints a JSON array with --json", function()
    local context = cli_context.make { routes = ROUTES, args = { json = true } }
    assert.equal(0, routes.run(context))
    assert.same(ROUTES, cjson.decode(table.concat(context.out, "\n")))
  end)

  it("prints what plugins say of channels", function()
    local channels = { { pattern = "log-*", plugin = "shop", settings = "queue latest" } }
    local context = cli_context.make { routes = ROUTES }
    context.channels = channels
    routes.run(context)
    assert.equal("CHANNEL  log-*            shop                    queue latest", context.out[4])
    context = cli_context.make { routes = ROUTES, args = { json = true } }
    context.channels = channels
    routes.run(context)
    assert.same({ channel = "log-*", plugin = "shop", settings = "queue latest" },
      cjson.decode(table.concat(context.out, "\n"))[3])
  end)

  it("counts letters, not bytes, and lets no control character through", function()
    local context = cli_context.make { routes = {
      { method = "GET", path = "/é", plugin = "a\27b", guard = "jwt" },
      { method = "GET", path = "/ee", plugin = "c", guard = "jwt" },
    } }
    routes.run(context)
    assert.same({
      "METHOD  PATH  PLUGIN  GUARD  MEANING",
      "GET     /é    a?b     jwt",
      "GET     /ee   c       jwt",
    }, context.out)
  end)
end)
