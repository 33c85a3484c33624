-- GET /control/acks: how many sessions have confirmed an event.

local acks = require "notify.acks"
local answer = require "control.answer"
local refusal = require "refusal"

local page = {}

local function handle(request)
  local count = acks.count(request.query.ack)
  if not count then
    return refusal.of("ack-unknown", "Ask within five minutes, with the ack that notify answered.",
      { parameter = "ack" })
  end
  return answer.done(request, { ack = request.query.ack, sessions = count })
end

---@param app app
function page.setup(app)
  app:get("/control/acks", {
    auth = "control:notify", jsonapi = true, doc = "How many sessions confirmed an event.",
    query = { ack = { type = "string", required = true, doc = "As notify answered it." } },
  }, handle)
end

return page
