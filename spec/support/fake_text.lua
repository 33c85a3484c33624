-- Fakes of core.query and core.names, which read what clients write.

local fake_text = {}

-- nil when the encoding is broken or says bytes that are no UTF-8.
local function decode(text)
  text = text:gsub("%+", " ")
  if text:find("%%%X") or text:find("%%%x%X") or text:find("%%%x?$") then return nil end
  text = text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  return utf8.len(text) and text
end

local function trim(text)
  return text:find("[^ \t]") and text:match("^[ \t]*(.*[^ \t])") or ""
end

local query = {}

function query.parse(text, plain)
  local values, others = {}, nil
  for piece in text:gmatch("[^&]+") do
    local name, value = piece:match("^([^=]*)=?(.*)$")
    name, value = decode(name), decode(value)
    if not name or not value then return nil, name, piece end
    if values[name] == nil and (not plain or plain[name]) then
      values[name] = value
    elseif plain then
      others = others or {}
      others[#others + 1], others[#others + 2] = name, value
    end
  end
  return values, others
end

local names = {}

function names.fault(name)
  if name == "" then return "is empty" end
  if not utf8.len(name) then return "is not UTF-8" end
  if name:find("%c") then return "has control characters" end
end

function names.split(text)
  local items = {}
  if trim(text) == "" then return items end
  for item in (text .. ","):gmatch("([^,]*),") do items[#items + 1] = trim(item) end
  return items
end

--- The modules by name.
function fake_text.modules()
  return { query = query, names = names }
end

return fake_text
