local nearest = require "nearest"

local NAMES = { "APP_PORT", "PORT", "PLUGINS", "WORKERS", "STORE" }

describe("the nearest name", function()
  it("is found over a letter left out, added, changed or swapped", function()
    assert.equal("APP_PORT", nearest.find("APP_PRT", NAMES))
    assert.equal("APP_PORT", nearest.find("APP_PPORT", NAMES))
    assert.equal("APP_PORT", nearest.find("APP-PORT", NAMES))
    assert.equal("WORKERS", nearest.find("WROKERS", NAMES))
    assert.equal("PLUGINS", nearest.find("PLUGIN", NAMES))
  end)

  it("is found over two errors in a long name but not over three", function()
    assert.equal("APP_PORT", nearest.find("APPPROT", NAMES))
    assert.is_nil(nearest.find("APPPRO", NAMES))
  end)

  it("is found over one error only in a short name", function()
    assert.equal("PORT", nearest.find("PROT", NAMES))
    assert.is_nil(nearest.find("HOST", NAMES))
    assert.is_nil(nearest.find("PO", NAMES))
  end)

  it("is the same name when it is there", function()
    assert.equal("STORE", nearest.find("STORE", NAMES))
  end)

  it("is none for names that are far", function()
    assert.is_nil(nearest.find("DATABASE_URL", NAMES))
    assert.is_nil(nearest.find("", NAMES))
  end)
end)
