-- Reads the text of a .env file. A line is NAME = value; blanks around = do not count, `export ` may
-- stand before the name. A comment begins with # or // at the start of a line or after a blank. In
-- quotes nothing is a comment and a value may run over several lines; in double quotes \n, \" and \\ are
-- escapes and every other backslash is itself. Nothing is expanded: $ is a plain letter.

local settings_file = {}

local BYTE_ORDER_MARK = "\239\187\191"
local ESCAPES = { ["\\n"] = "\n", ['\\"'] = '"', ["\\\\"] = "\\" }

local function is_comment(text)
  return text:find("^#") or text:find("^//")
end

-- Up to a comment, which needs a blank before it.
local function plain_value(text)
  local cut = math.min(text:find("%s#") or #text + 1, text:find("%s//") or #text + 1)
  return (text:sub(1, cut - 1):match("^%s*(.-)%s*$"))
end

-- Where the quote that opens at `from` is closed; nil when it is not.
local function find_closing(text, quote, from)
  local at = from + 1
  while true do
    at = text:find('[\\' .. quote .. ']', at)
    if not at then return nil end
    if text:sub(at, at) == quote then return at end
    at = at + (quote == '"' and 2 or 1)
  end
end

-- The value in quotes and where the next line begins; nil, fault when the quotes are wrong.
local function quoted_value(text, quote, from)
  local closing = find_closing(text, quote, from)
  if not closing then return nil, "the quote is never closed" end
  local value = text:sub(from + 1, closing - 1)
  if quote == '"' then value = value:gsub("\\.", ESCAPES) end
  local rest, next_line = text:match("^([^\n]*)\n?()", closing + 1)
  if rest:find("%S") and not (rest:find("^%s") and is_comment(rest:match("^%s*(.*)$"))) then
    return nil, "there is text after the closing quote"
  end
  return value, next_line
end

-- Reads the line at `at`: where the next one begins, name (nil for a blank line or a comment) and value;
-- or nil, fault.
local function read_line(text, at)
  local line, next_line = text:match("^([^\n]*)\n?()", at)
  local content = line:match("^%s*(.*)$")
  if content == "" or is_comment(content) then return next_line end
  local name, value_at = text:match("^[ \t]*([%a_][%w_.-]*)[ \t]*=()", at)
  if not name then
    name, value_at = text:match("^[ \t]*export[ \t]+([%a_][%w_.-]*)[ \t]*=()", at)
  end
  if not name then return nil, "a line is NAME=value or a # comment" end
  local quote_at = text:match("^[ \t]*()[\"']", value_at)
  if not quote_at then return next_line, name, plain_value(text:sub(value_at, at + #line - 1)) end
  local value, after = quoted_value(text, text:sub(quote_at, quote_at), quote_at)
  if not value then return nil, after end
  return after, name, value
end

--- Reads the text; of a name that stands twice, the last one counts.
---@param text string
---@param file_name string  for the line that tells of a fault
---@return table<string, {value: string, line: integer}>|nil entries, string? line
function settings_file.parse(text, file_name)
  text = text:gsub("\r\n", "\n")
  local entries, line = {}, 1
  local at = text:sub(1, #BYTE_ORDER_MARK) == BYTE_ORDER_MARK and #BYTE_ORDER_MARK + 1 or 1
  while at <= #text do
    local after, name, value = read_line(text, at)
    if not after then return nil, ("%s line %d cannot be read: %s"):format(file_name, line, name) end
    if name then entries[name] = { value = value, line = line } end
    line = line + select(2, text:sub(at, after - 1):gsub("\n", ""))
    at = after
  end
  return entries
end

return settings_file
