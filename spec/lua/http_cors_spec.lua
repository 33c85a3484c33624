local fake_core = require "spec.support.fake_core"

describe("cors", function()
  local cors

  before_each(function()
    fake_core.install({ ALLOWED_ORIGINS = { "https://app.example" } })
    cors = require "http.cors"
  end)

  it("allows cookies to our own pages and to listed origins", function()
    for _, case in ipairs({
      { "https://app.example", "chat.example" },
      { "http://chat.example:3000", "chat.example:3000" },
      { "https://chat.example", "chat.example" },
      { "https://chat.example", "chat.example:443" },
      { "http://chat.example", "Chat.Example:80" },
    }) do
      assert.is_truthy(cors.is_allowed(case[1], case[2]))
    end
  end)

  it("allows them to no other page", function()
    for _, case in ipairs({
      { "http://app.example", "chat.example" }, { "https://app.example.evil", "chat.example" },
      { "https://evil.example", "chat.example" }, { "http://chat.example:3001", "chat.example:3000" },
      { "https://chat.example", "chat.example:80" }, { "null", "null" }, { "", "" },
      { "https://chat.example", nil },
    }) do
      assert.is_falsy(cors.is_allowed(case[1], case[2]))
    end
  end)

  it("offers the usual headers in a preflight that asks for none", function()
    assert.same({
      "Access-Control-Allow-Methods", "POST",
      "Access-Control-Allow-Headers", "Authorization, Content-Type, X-API-Key",
      "Access-Control-Max-Age", "600",
    }, cors.preflight("POST", nil))
  end)
end)
