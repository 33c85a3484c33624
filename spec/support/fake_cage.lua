-- The fake of core.cage: nothing is stopped; with `kind`, the next call is, for that reason.

local fake_cage = {}

local TRACEBACK = "stack traceback:\n\tthe plugin's"

local function finish(ok, first, ...)
  if ok then return true, first, ... end
  return false, "error", first, TRACEBACK
end

function fake_cage.new()
  local cage = {}
  function cage.call(f, ...)
    local kind = cage.kind
    cage.kind = nil
    if kind then return false, kind, "plugins/shop.lua:7: ", TRACEBACK end
    return finish(pcall(f, ...))
  end
  function cage.setup(f, ...) return cage.call(f, ...) end
  return cage
end

return fake_cage
