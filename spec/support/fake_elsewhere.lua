-- Fakes of the C modules whose work is done by other threads: core.password and core.reload.

local fake_elsewhere = {}

function fake_elsewhere.password()
  local password = { hashed = {}, verified = {} }
  function password.hash(text)
    if password.failure then return nil, "too many passwords are waiting", password.failure end
    password.hashed[#password.hashed + 1] = text
    return "argon:" .. text
  end
  function password.verify(text, hash)
    password.verified[#password.verified + 1] = hash
    return hash == "argon:" .. text or hash == "$2b$" .. text
  end
  function password.is_outdated(hash) return hash:find("^%$2") ~= nil end
  return password
end

function fake_elsewhere.reload()
  local reload = { generation = 1, asked = {} }
  function reload.run(dry)
    reload.asked[#reload.asked + 1] = dry or false
    if reload.failure then return nil, table.unpack(reload.failure) end
    if not dry then reload.generation = reload.generation + 1 end
    return reload.generation
  end
  return reload
end

return fake_elsewhere
