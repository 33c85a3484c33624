local fake_core = require "spec.support.fake_core"

describe("static", function()
  local static

  before_each(function()
    local core = fake_core.install()
    for _, path in ipairs({ "www/index.html", "www/a/index.html", "www/a/b.js", "www/.secret", "other/x" }) do
      core.files.tree[path] = path
    end
    static = require "http.static"
  end)

  it("finds files, and the index of a folder", function()
    assert.equal("a/b.js", static.find("www", "a/b.js"))
    assert.equal("index.html", static.find("www", ""))
    assert.equal("a/index.html", static.find("www", "a/"))
  end)

  it("finds no folders and nothing that is not there", function()
    assert.is_nil(static.find("www", "a"))
    assert.is_nil(static.find("www", "c.txt"))
  end)

  it("has no way out of the folder and shows nothing hidden", function()
    for _, path in ipairs({ "../other/x", "a/../../other/x", "./index.html", ".secret", "a//b.js",
      "/index.html", "..\\other\\x", "a/b.js\0", "a/..", ".." }) do
      assert.is_nil(static.find("www", path))
    end
  end)

  it("knows content types", function()
    assert.equal("text/javascript; charset=utf-8", static.content_type("a/b.JS"))
    assert.equal("image/svg+xml", static.content_type("logo.min.svg"))
    assert.equal("application/octet-stream", static.content_type("README"))
  end)
end)
