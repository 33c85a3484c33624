-- A fake of core.greeting: what it makes is called with what session:join knows, and gives the event.

local fake_json = require "spec.support.fake_json"

local fake_greeting = {}

local function place_of(name, facts)
  return assert(facts[name], "an unknown place $" .. name)
end

---@return fun(session: table, expires?: number): {event: string, attributes: any}
function fake_greeting.new(event, template, channels_max)
  return function(session, expires)
    local channels = fake_json.array(table.move(session.channels, 1, math.min(#session.channels, channels_max), 1, {}))
    local facts = {
      count = tostring(#session.channels), channels = fake_json.encode(channels),
      expires = expires and os.date('!"%Y-%m-%dT%H:%M:%S.000Z"', expires) or "null",
      session = fake_json.encode(session.id), user = fake_json.encode(session.user),
    }
    local text = template:gsub("%$(%a+)", function(name) return place_of(name, facts) end)
    return { event = event, attributes = fake_json.decode(text) }
  end
end

return fake_greeting
