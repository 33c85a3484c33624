-- Fakes of what keeps records: core.store and core.shared.

local fake_records = {}

-- Records by space and key; with `failure`, a code, nothing can be read or written.
function fake_records.new_store(time)
  local store = { spaces = {}, gets = 0 }
  local function find(space, key)
    local record = (store.spaces[space] or {})[key]
    if record and not (record.expires and record.expires <= time.now()) then return record end
  end
  function store.get(space, key)
    store.gets = store.gets + 1
    if store.failure then return nil, "the store does not answer", store.failure end
    local record = find(space, key)
    return record and record.value
  end
  function store.set(space, key, value, opts)
    opts = opts or {}
    if store.failure then return nil, "the store does not answer", store.failure end
    local record = find(space, key)
    if opts.expect ~= nil and opts.expect ~= (record and record.value or false) then return false end
    store.spaces[space] = store.spaces[space] or {}
    store.spaces[space][key] = { value = value, expires = opts.ttl and time.now() + opts.ttl }
    return true
  end
  function store.delete(space, key)
    if not find(space, key) then return false end
    store.spaces[space][key] = nil
    return true
  end
  function store.each(space, opts)
    if store.failure then return nil, "the store does not answer", store.failure end
    local records, size = {}, opts and opts.size or 1000
    for key in pairs(store.spaces[space] or {}) do
      local record = find(space, key)
      if record and key > (opts and opts.after or "") then
        records[#records + 1] = { key = key, value = record.value, expires = record.expires }
      end
    end
    table.sort(records, function(a, b) return a.key < b.key end)
    local more = #records > size
    return table.move(records, 1, math.min(size, #records), 1, {}), more
  end
  return store
end

-- As the store, but for counting; with `failure`, a code, nothing fits.
function fake_records.new_shared(time)
  local records = fake_records.new_store(time)
  local shared = { records = records }
  function shared.get(space, key) return (records.get(space, key)) end
  shared.delete = records.delete
  function shared.set(space, key, value, opts)
    if shared.failure then return nil, "the shared dictionary is full", shared.failure end
    return records.set(space, key, value, opts)
  end
  function shared.increment(space, key, amount, opts)
    if shared.failure then return nil, "the shared dictionary is full", shared.failure end
    local before = records.get(space, key)
    if before and not before:find("^%-?%d+$") then return nil, "the value is no whole number", "INVALID" end
    local sum = math.tointeger(before or 0) + (amount or 1)
    if not before then
      records.set(space, key, tostring(sum), opts)
    else
      records.spaces[space][key].value = tostring(sum)
    end
    local expires = records.spaces[space][key].expires
    return sum, expires and expires - time.now()
  end
  return shared
end

return fake_records
