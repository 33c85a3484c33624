-- For reload_spec: counts in a local that it hands over, and in one that it does not.
local keeper = { api = 1 }

local kept, lost = 0, 0

function keeper.setup(app)
  app:get("/counts", { auth = "none" }, function()
    kept, lost = kept + 1, lost + 1
    return { json = { kept, lost } }
  end)
end

function keeper.on_unload() return { kept = kept } end

function keeper.on_load(state) kept = state.kept end

return keeper
