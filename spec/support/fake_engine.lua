-- A fake of core.engine: remembers what it was asked in `calls`, and answers polls and posts with what stands in
-- `answers`, a text, or nil and the code of a refusal.

local fake_engine = {}

---@param new_socket fun(): userdata
function fake_engine.new(new_socket)
  local engine = { calls = {}, answers = {} }
  local function note(name, ...)
    engine.calls[#engine.calls + 1] = { name = name, ... }
  end
  local function asker(name)
    return function(_, sid)
      note(name, sid)
      local answer = engine.answers[name] or { "ok" }
      return answer[1], answer[2]
    end
  end
  engine.poll, engine.post = asker("poll"), asker("post")
  function engine.upgrade(_, sid)
    note("upgrade", sid)
    return sid ~= "unknown"
  end
  function engine.open(_, handler)
    note("open", handler)
    return new_socket(), "0{}"
  end
  function engine.open_socket(_, handler)
    note("open_socket", handler)
    return new_socket()
  end
  function engine.open_mux(_, token)
    note("open_mux", token)
    if engine.is_full then return nil, "too many", "LIMIT" end
    return "0{}"
  end
  function engine.open_mux_socket(_, token)
    note("open_mux_socket", token)
    return true
  end
  return engine
end

return fake_engine
