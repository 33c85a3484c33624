-- POST /auth/login: a token, in a cookie, for a name and a password.

local attempts = require "auth.attempts"
local form = require "auth.form"
local jwt_cookie = require "auth.jwt_cookie"
local metrics = require "core.metrics"
local mint = require "identity.mint"
local refusal = require "refusal"
local settings = require "settings"
local users = require "identity.users"

local login = {}

local function refuse_login()
  metrics.add("login_failures_total")
  return refusal.of("login-failed", "There is no user with this name and password.", nil,
    { "WWW-Authenticate", "Bearer" })
end

local function let_in(request, name, user)
  local roles = user.roles and user.roles[1] and user.roles or nil
  local text, message, code = mint.token({ sub = name, roles = roles }, settings.LOGIN_TTL)
  if not text then return form.refuse_failure(message, code) end
  local cookie = jwt_cookie.make(request, text, math.floor(settings.LOGIN_TTL))
  return {
    json = { msg = "Logged in." }, cookies = { jwt = cookie }, headers = { ["Cache-Control"] = "no-store" },
  }
end

local function handle(request)
  local name, text = form.read(request)
  if not name then return text end
  local refused = attempts.begin(request, name)
  if refused then return refused end
  local user, message, code = users.verify(name, text)
  if user == false then return refuse_login() end
  attempts.forgive(request, name)
  if not user then return form.refuse_failure(message, code) end
  return let_in(request, name, user)
end

---@param app app
function login.setup(app)
  app:post("/auth/login", {
    auth = "none", body = "json", body_max = form.BYTES_MAX,
    doc = "Gives a token, in a cookie, for a name and a password.",
  }, handle)
end

return login
