describe("strict", function()
  local globals

  before_each(function()
    globals = { print = print }
    require("strict").apply(globals)
  end)

  it("lets what is there be used", function()
    assert.equal(print, globals.print)
    globals.print = nil
    globals = nil
  end)

  it("lets nobody read or make a global by accident", function()
    assert.has_error(function() return globals.prnit end, "there is no global 'prnit'")
    assert.has_error(function() globals.count = 1 end, "'count' would become a global: say local")
    assert.is_nil(rawget(globals, "count"))
  end)
end)
