local fake_core = require "spec.support.fake_core"

describe("refusal", function()
  local refusal, errors

  before_each(function()
    fake_core.install()
    refusal = require "refusal"
    errors = require "errors"
  end)

  it("takes status and title of a known code from the catalogue", function()
    local refused = refusal.of("method-missing", "Add it.", { parameter = "method" })
    assert.same({
      status = "400", code = "method-missing", title = "Method missing", detail = "Add it.",
      source = { parameter = "method" },
    }, refusal.object(refused))
  end)

  it("takes the status's phrase as title of a plugin's code", function()
    assert.equal("Forbidden", refusal.object(refusal.new(403, "not-yours", "No.")).title)
    assert.equal("Error", refusal.object(refusal.new(499, "odd", "No.")).title)
  end)

  it("says at least its title", function()
    assert.equal("Not found.", refusal.of("not-found").detail)
  end)

  it("knows its like", function()
    assert.is_true(refusal.is(refusal.of("not-found")))
    for _, value in ipairs({ {}, "text", 7, false }) do assert.is_false(refusal.is(value)) end
    assert.is_false(refusal.is(nil))
  end)

  it("can be read in a log", function()
    assert.equal("404 not-found: Gone.", tostring(refusal.of("not-found", "Gone.")))
  end)

  it("makes of the world's failures a 503, of unknown ones a 500", function()
    local refused = refusal.of_failure("the store is down", "UNAVAILABLE")
    assert.same({ 503, "unavailable", "the store is down" }, { refused.status, refused.code, refused.detail })
    refused = refusal.of_failure("odd", "NOT_FOUND")
    assert.same({ 500, "not-found" }, { refused.status, refused.code })
  end)

  describe("catalogue", function()
    it("gives every code a status with a phrase, a title and a meaning", function()
      for code, entry in pairs(errors.codes) do
        assert.matches("^[a-z][a-z-]*$", code)
        assert.is_string(errors.phrases[entry.status])
        assert.matches("^%u", entry.title)
        assert.matches("%.$", entry.meaning)
      end
    end)

    it("has every code that the Lua half refuses with", function()
      local list <close> = assert(io.popen("ls lua/*.lua lua/control/*.lua lua/auth/*.lua"))
      for path in list:lines() do
        local file <close> = assert(io.open(path))
        for code in file:read("a"):gmatch('refusal%.of%("([^"]+)"') do
          assert.is_not_nil(errors.codes[code], ("%s has the unknown code %s"):format(path, code))
        end
      end
    end)
  end)
end)
