-- What GET / shows as long as no plugin has something there.

local node = require "core.node"

local greeting = {}

local PAGE <const> = [[
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>chatty</title>
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }
  code { background: #8882; padding: .1em .3em; border-radius: .2em }
</style>
<h1>chatty</h1>
<p>A pub/sub server that the app server controls. Version %s. It runs.</p>
<ul>
  <li><code>GET /ws</code>: WebSocket for users; <code>GET /events</code>: Server-Sent Events;
    <code>/socket.io/</code>: Socket.IO</li>
  <li><code>POST /control/notify</code>, <code>/control/subscription/subscribe</code>,
    <code>/control/subscription/unsubscribe</code>, <code>/control/disconnect</code>: for the app server</li>
  <li><code>GET /control/search/subscriptions</code>, <code>/control/search/participants</code>,
    <code>/control/search/users</code>: likewise</li>
  <li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a>:
    how it is</li>
</ul>
<p>A page of your own: enable the example with <code>ENABLE=origin,date_time,chat</code>, or give a plugin
<code>GET /</code>.</p>
</html>
]]

---@param app app
function greeting.setup(app)
  local page = PAGE:format(node.version)
  app:get("/", { auth = "none", doc = "Greets, while no plugin has this path." }, function()
    return { html = page }
  end)
end

return greeting
