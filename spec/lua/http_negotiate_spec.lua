local fake_core = require "spec.support.fake_core"

local DOCUMENT <const> = "application/vnd.api+json"

describe("negotiate", function()
  local negotiate

  before_each(function()
    fake_core.install()
    negotiate = require "http.negotiate"
  end)

  describe("a body", function()
    it("is taken as JSON or as a JSON:API document", function()
      for _, header in ipairs({
        "application/json", "Application/JSON", "application/json; charset=utf-8",
        'application/json;charset="UTF-8"', "application/json; version=2", DOCUMENT,
        DOCUMENT .. '; profile="http://example.com/x y"', DOCUMENT .. '; ext=""',
      }) do
        assert.is_nil(negotiate.refuse_content_type(header))
      end
    end)

    it("is refused as anything else", function()
      for _, header in ipairs({
        "text/plain", "application/jsonx", "", "application/json; charset=latin1",
        DOCUMENT .. "; charset=utf-8", DOCUMENT .. '; ext="http://example.com/x"', DOCUMENT .. "; q=1",
      }) do
        local refused = negotiate.refuse_content_type(header)
        assert.equal(415, refused.status)
        assert.same({ header = "Content-Type" }, refused.source)
      end
      assert.equal(415, negotiate.refuse_content_type(nil).status)
    end)

    it("is refused with what would be taken", function()
      assert.same({ "Accept", "application/json, application/vnd.api+json" },
        negotiate.refuse_content_type("text/plain").headers)
    end)
  end)

  describe("an answer", function()
    it("is plain JSON unless a document is asked for", function()
      for _, header in ipairs({ "*/*", "application/json", "text/html, */*;q=0.1", "application/*" }) do
        assert.is_false(negotiate.wants_document(header))
      end
      assert.is_false(negotiate.wants_document(nil))
    end)

    it("is a document for those who ask", function()
      for _, header in ipairs({
        DOCUMENT, "Application/Vnd.Api+Json", "text/html, " .. DOCUMENT, DOCUMENT .. ';profile="a,b;c"',
        DOCUMENT .. ", application/json", "application/json;q=0.5, " .. DOCUMENT .. ";q=0.9",
        DOCUMENT .. ";charset=utf-8, " .. DOCUMENT,
      }) do
        assert.is_true(negotiate.wants_document(header))
      end
    end)

    it("is what is liked more", function()
      assert.is_false(negotiate.wants_document(DOCUMENT .. ";q=0.5, application/json"))
      assert.is_false(negotiate.wants_document(DOCUMENT .. ";q=0"))
    end)

    it("is none when all documents have parameters or extensions that we do not support", function()
      assert.is_nil(negotiate.wants_document(DOCUMENT .. ";charset=utf-8"))
      assert.is_nil(negotiate.wants_document(DOCUMENT .. ';ext="http://example.com/x"'))
      assert.is_nil(negotiate.wants_document(DOCUMENT .. ";v=1, application/json"))
      assert.equal(406, negotiate.refuse_accept().status)
    end)
  end)
end)
