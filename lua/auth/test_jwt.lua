-- GET /auth/test-jwt: whether a token is accepted, and whose it is.

local test_jwt = {}

---@param app app
function test_jwt.setup(app)
  app:get("/auth/test-jwt", { auth = "jwt", doc = "Tells whose token it is." }, function(request)
    return { json = { msg = "Authenticated with jwt", sub = request.user } }
  end)
end

return test_jwt
