-- A fake of core.event: events, and the module that makes them.

local fake_json = require "spec.support.fake_json"
local fake_userdata = require "spec.support.fake_userdata"

local fake_event = {}

local state_of = fake_userdata.state
local event_methods = {}

--- An event of this name and raw JSON.
function fake_event.new(name, raw)
  return fake_userdata.new(event_methods, { name = name, raw = raw })
end

function event_methods:name() return state_of(self).name end

local function is_reserved(name)
  return name == "disconnect" or name == "connect" or name == "connect_error" or name == "disconnecting"
    or name == "newListener" or name == "removeListener" or name:sub(1, 7) == "chatty:"
end

function event_methods:is_reserved() return is_reserved(state_of(self).name) end

function event_methods:raw() return state_of(self).raw end

function event_methods:size() return #state_of(self).raw end

function event_methods:attributes() return fake_json.decode(state_of(self).raw) end

function event_methods:is_object() return state_of(self).raw:find("^%s*{") ~= nil end

function event_methods:copy()
  local state = state_of(self)
  local made = fake_event.new(state.name, state.raw)
  state_of(made).binaries, state_of(made).is_spread = state.binaries, state.is_spread
  return made
end

function event_methods:binaries() return state_of(self).binaries end

function event_methods:set_binaries(list) state_of(self).binaries = list end

function event_methods:is_spread() return state_of(self).is_spread or false end

function event_methods:spread() state_of(self).is_spread = true end

function event_methods:replace(value) state_of(self).raw = fake_json.encode(value) end

function event_methods:rename(name)
  if name == "" then return nil, "the event's name is empty" end
  state_of(self).name = name
  return true
end

function event_methods:get(key)
  local raw = fake_json.find(state_of(self).raw, key)
  return raw and fake_json.decode(raw)
end

function event_methods:remove(key)
  local raw = state_of(self).raw
  local parts = {}
  for _, member in ipairs(fake_json.members(raw)) do
    if member.key ~= key then parts[#parts + 1] = raw:sub(member.key_from, member.to) end
  end
  state_of(self).raw = "{" .. table.concat(parts, ",") .. "}"
end

function event_methods:set(key, value)
  local raw, item = state_of(self).raw, fake_json.encode(value)
  local members, stop = fake_json.members(raw)
  for _, member in ipairs(members) do
    if member.key == key then
      state_of(self).raw = raw:sub(1, member.from - 1) .. item .. raw:sub(member.to + 1)
      return
    end
  end
  local comma = members[1] and "," or ""
  state_of(self).raw = raw:sub(1, stop - 1) .. comma .. fake_json.encode(key) .. ":" .. item .. raw:sub(stop)
end

fake_event.module = { is_reserved = is_reserved }

function fake_event.module.new(name, attributes)
  if name == "" then return nil, "the event's name is empty", "INVALID" end
  return fake_event.new(name, fake_json.encode(attributes))
end

--- The document that a text is; nil and what is wrong with it, as core.request has it.
function fake_event.read(text)
  local document, message = fake_json.decode(text)
  if document == nil then return nil, "the body is not valid JSON: " .. message, "body-malformed" end
  if type(document) ~= "table" then return nil, "send an object", "event-invalid", "" end
  if document.event == nil then return nil, "add the member event", "event-missing", "/event" end
  if type(document.event) ~= "string" then return nil, "event must be a string", "event-invalid", "/event" end
  return document
end

function fake_event.module.parse(text)
  local document, message = fake_event.read(text)
  local ack = fake_json.find(text, "ack")
  if not document then return nil, message, "INVALID", ack end
  return fake_event.new(document.event, fake_json.find(text, "attributes") or "{}"), ack
end

return fake_event
