-- Finds what somebody meant who mistyped a name.

local nearest = {}

local DISTANCE_MAX = 2

-- How many letters were changed, left out, added or swapped with their neighbour.
local function distance(a, b)
  local before, last
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    row, last, before = { [0] = i }, row, last
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
      if before and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
  end
  return row[#b]
end

--- The candidate nearest to `name`, at most two typing errors away (one, for a name of less than six
--- letters: HOST is not a mistyped PORT); nil when none is near. The first wins among equals.
---@param name string
---@param candidates string[]
---@return string|nil
function nearest.find(name, candidates)
  local best, best_distance
  local limit = math.min(DISTANCE_MAX, #name // 3)
  for _, candidate in ipairs(candidates) do
    if math.abs(#candidate - #name) <= limit then
      local far = distance(name, candidate)
      if far <= limit and far < (best_distance or math.huge) then best, best_distance = candidate, far end
    end
  end
  return best
end

return nearest
