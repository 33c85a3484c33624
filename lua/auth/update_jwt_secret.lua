-- PUT /auth/update-jwt-secret: another secret for the tokens of users, at once on all workers, kept in the store.
-- With `grace` the old one is good for so many seconds more; without it its tokens and their sessions end now.

local json = require "core.json"
local refusal = require "refusal"
local secret = require "core.secret"
local settings = require "settings"
local store = require "core.store"
local task = require "core.task"
local time = require "core.time"
local token = require "core.token"

local update_jwt_secret = {}

local SECRET_MIN <const>, SECRET_MAX <const> = 16, 4096
local GRACE_MAX <const> = 30 * 24 * 3600
local SPACE <const> = "secret"
local LEASE <const>, POLL <const>, TRIES <const> = 10, 0.02, 250 -- seconds, seconds, so often

local function pointer(member)
  return { pointer = "/" .. member }
end

-- The two members, or nil and a refusal.
local function read(body)
  local text, grace = body.secret, body.grace
  if type(text) ~= "string" or #text < SECRET_MIN or #text > SECRET_MAX then
    return nil, refusal.of("secret-invalid",
      ("Send secret, a string of %d to %d bytes."):format(SECRET_MIN, SECRET_MAX), pointer "secret")
  end
  if grace ~= nil and (type(grace) ~= "number" or grace < 0 or grace > GRACE_MAX) then
    return nil, refusal.of("grace-invalid",
      ("Send grace as seconds from 0 to %d, or leave it out."):format(GRACE_MAX), pointer "grace")
  end
  return { secret = text, grace = grace or 0 }
end

-- The secret that is good now: the stored one, as long as it replaces JWT_SECRET as it is set.
local function current(digest)
  local kept, message, code = store.get(SPACE, "jwt")
  if not kept then return not code and settings.JWT_SECRET or nil, message, code end
  local record = json.decode(kept)
  return record.replaces == digest and record.secret or settings.JWT_SECRET
end

local function keep(wanted, until_ms)
  local digest = secret.hash(settings.JWT_SECRET)
  local previous, message, code = current(digest)
  if not previous then return nil, message, code end
  return store.set(SPACE, "jwt", json.encode {
    replaces = digest, secret = wanted.secret, previous = previous, ["until"] = until_ms,
  })
end

-- One change at a time, or the store could end with another secret than the workers. The lease ends by itself when
-- the server dies with it.
local function lock()
  for _ = 1, TRIES do
    local done, message, code = store.set(SPACE, "changing", "1", { expect = false, ttl = LEASE })
    if done ~= false then return done, message, code end
    task.sleep(POLL)
  end
  return nil, "the secret is being changed by others", "UNAVAILABLE"
end

local function change(wanted)
  local until_ = wanted.grace > 0 and time.now() + wanted.grace or 0
  local done, message, code = keep(wanted, math.floor(until_ * 1000))
  if not done then return nil, message, code end
  return token.change_secret(wanted.secret, until_)
end

local function handle(request)
  if settings.JWT_ALGORITHM:sub(1, 2) ~= "HS" then
    return refusal.of("secret-not-used", "Tokens are checked with JWT_PUBLIC_KEY_FILE; there is no secret to change.")
  end
  local body = request.json
  local wanted, refused = read(type(body) == "table" and body or {})
  if not wanted then return refused end
  local sessions
  local done, message, code = lock()
  if done then
    sessions, message, code = change(wanted)
    store.delete(SPACE, "changing")
  end
  if not sessions then return refusal.of_failure(message, code) end
  return { json = { msg = "Secret updated.", sessions = sessions } }
end

---@param app app
function update_jwt_secret.setup(app)
  app:put("/auth/update-jwt-secret", { auth = "control:admin", body = "json",
    doc = "Changes the secret of tokens; the old one may stay good for some seconds." }, handle)
end

return update_jwt_secret
