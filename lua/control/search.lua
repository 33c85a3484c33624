-- GET /control/search/...: who is subscribed to what, and who is here.

local answer = require "control.answer"
local chatty = require "chatty"
local names = require "names"
local query = require "http.query"
local refusal = require "refusal"
local settings = require "settings"

local search = {}

local PAGE_SIZE = {
  type = "integer", min = 1, max = settings.PAGE_SIZE_MAX, default = settings.PAGE_SIZE_MAX,
  doc = "Names in one answer.",
}
local PAGE_SIZE_OF_ORIGINS = {
  type = "integer", min = 1, max = settings.PAGE_SIZE_MAX, doc = "Subscriptions in one answer.",
}
local PAGE_AFTER = { type = "string", doc = "Only names behind this one." }

local function refuse_name(name, parameter)
  local ok, fault = names.check(name)
  if ok then return nil end
  return refusal.of("name-invalid", ("The name %s."):format(fault), { parameter = parameter })
end

-- Where the names go on: the same request, behind the last name of this page.
local function next_page(request, list, pairs)
  local size = request.query["page[size]"] or settings.PAGE_SIZE_MAX
  table.move({ "page[size]", tostring(size), "page[after]", list[#list] }, 1, 4, #pairs + 1, pairs)
  return request.path .. "?" .. query.encode(pairs)
end

local function find_origins(request, user)
  local asked = request.query
  local list, more, code = chatty.search.origins(user, {
    after = asked["page[after]"], size = asked["page[size]"] or settings.PAGE_SIZE_MAX,
  })
  if not list then return nil, more, code end
  local channels = {}
  for i, one in ipairs(list) do
    one.since, channels[i] = chatty.time.rfc3339(one.since), one.channel
  end
  local pairs = { "userId", user, "include", "origin" }
  return answer.origins(request, list, more and next_page(request, channels, pairs) or nil)
end

local function find_subscriptions(request)
  local user = request.query.userId
  local refused = refuse_name(user, "userId")
  if refused then return refused end
  if request.query.include then return find_origins(request, user) end
  for _, name in ipairs({ "page[size]", "page[after]" }) do
    if request.query[name] then
      return refusal.of("parameter-unknown", "Pages are of include=origin.", { parameter = name })
    end
  end
  local list, message, code = chatty.search.subscriptions(user)
  if not list then return nil, message, code end
  return answer.names(request, "channels", list)
end

local function find_participants(request)
  local asked = request.query
  local refused = refuse_name(asked.channel, "channel")
  if refused then return refused end
  local list, more, code = chatty.search.participants(asked.channel, {
    offline = asked.include == "offline", after = asked["page[after]"], size = asked["page[size]"],
  })
  if not list then return nil, more, code end
  local pairs = { "channel", asked.channel }
  if asked.include then table.move({ "include", asked.include }, 1, 2, 3, pairs) end
  return answer.names(request, "users", list, more and next_page(request, list, pairs) or nil)
end

local function find_users(request)
  local asked = request.query
  local list, more, code = chatty.search.users({ after = asked["page[after]"], size = asked["page[size]"] })
  if not list then return nil, more, code end
  return answer.names(request, "users", list, more and next_page(request, list, {}) or nil)
end

---@param app app
function search.setup(app)
  app:get("/control/search/subscriptions", {
    auth = "control:search", jsonapi = true, doc = "The channels of a user.",
    query = {
      userId = { type = "string", required = true },
      include = { type = "string", one_of = { "origin" }, doc = "Since when, and by whom they were made." },
      ["page[size]"] = PAGE_SIZE_OF_ORIGINS, ["page[after]"] = PAGE_AFTER,
    },
  }, find_subscriptions)
  app:get("/control/search/participants", {
    auth = "control:search", jsonapi = true, doc = "The users of a channel who have a session.",
    query = {
      channel = { type = "string", required = true },
      include = { type = "string", one_of = { "offline" }, doc = "Users without a session too." },
      ["page[size]"] = PAGE_SIZE, ["page[after]"] = PAGE_AFTER,
    },
  }, find_participants)
  app:get("/control/search/users", {
    auth = "control:search", jsonapi = true, doc = "The users who have a session.",
    query = { ["page[size]"] = PAGE_SIZE, ["page[after]"] = PAGE_AFTER },
  }, find_users)
end

return search
