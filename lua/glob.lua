-- Patterns for names, as people write them: `*` stands for any characters, {user} for a value that is given.

local glob = {}

-- The pieces between the stars. What stands for a value is put in behind that, so a star in a value is none.
local function split(pattern, values)
  local parts = {}
  for part in (pattern .. "*"):gmatch("([^*]*)%*") do
    parts[#parts + 1] = values and part:gsub("{([%w_]+)}", values) or part
  end
  return parts
end

-- Each piece in the middle where it is found first: that leaves the most for those behind it.
local function has_middle(parts, text, at, last)
  for i = 2, #parts - 1 do
    local from, to = text:find(parts[i], at, true)
    if not from or to > last then return false end
    at = to + 1
  end
  return true
end

--- Whether a text matches a pattern.
---@param pattern string
---@param text string
---@param values? table<string, string>  for {name} in the pattern
---@return boolean
function glob.matches(pattern, text, values)
  local parts = split(pattern, values)
  local head, tail = parts[1], parts[#parts]
  if #parts == 1 then return head == text end
  if #head + #tail > #text then return false end
  if text:sub(1, #head) ~= head or text:sub(#text - #tail + 1) ~= tail then return false end
  return has_middle(parts, text, #head + 1, #text - #tail)
end

return glob
