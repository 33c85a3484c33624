-- Lays out rows of text in columns for a terminal.

local columns = {}

local WIDTH_MAX = 40 -- a longer cell pushes its own row only
local GAP = "  "

local function width_of(text)
  return utf8.len(text) or #text
end

local function widths_of(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, math.min(width_of(cell), WIDTH_MAX))
    end
  end
  return widths
end

--- One line for each row, without blanks at its end. Control characters become "?".
---@param rows string[][]  the last column may be of any width
---@return string[] lines
function columns.align(rows)
  local widths, lines = widths_of(rows), {}
  for i, row in ipairs(rows) do
    local cells = {}
    for j, cell in ipairs(row) do
      local padding = j < #row and (" "):rep(widths[j] - width_of(cell)) or ""
      cells[j] = cell:gsub("%c", "?") .. padding
    end
    lines[i] = table.concat(cells, GAP):gsub(" +$", "")
  end
  return lines
end

return columns
