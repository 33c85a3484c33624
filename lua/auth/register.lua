-- POST /auth/register: adds a user with a password. REGISTRATION says who may.

local attempts = require "auth.attempts"
local form = require "auth.form"
local refusal = require "refusal"
local settings = require "settings"
local users = require "identity.users"

local register = {}

local GUARDS <const> = { control = "control:auth", open = "none", off = "none" }

local function refuse(message, code)
  if code == "EXISTS" then
    return refusal.of("username-taken", "Choose another username.", { pointer = "/username" })
  end
  return form.refuse_failure(message, code)
end

local function handle(request)
  if settings.REGISTRATION == "off" then
    return refusal.of("registration-off", "Users are added by `chatty user add`.")
  end
  local name, text = form.read(request)
  if not name then return text end
  local ok, fault = users.check_password(text)
  if not ok then return form.refuse("password-invalid", "password", fault) end
  local refused = settings.REGISTRATION == "open" and attempts.begin(request)
  if refused then return refused end
  local done, message, code = users.add(name, text)
  if not done then return refuse(message, code) end
  return { json = { newUsername = name } }
end

---@param app app
function register.setup(app)
  app:post("/auth/register", {
    auth = GUARDS[settings.REGISTRATION], body = "json", body_max = form.BYTES_MAX,
    doc = "Adds a user with a password.",
  }, handle)
end

return register
