--- The project's own files, as the lint specs look at them. A file is { path =, text = }; a check takes
--- files and gives complaints, so that it can be tried on a small counterexample too.
local uv = require "luv"

local sources = {}

local function walk(folder, pattern, files)
  local scan = uv.fs_scandir(folder)
  if not scan then return end
  for name, kind in uv.fs_scandir_next, scan do
    local path = folder .. "/" .. name
    if kind == "directory" then
      walk(path, pattern, files)
    elseif name:find(pattern) then
      local file <close> = assert(io.open(path, "rb"))
      files[#files + 1] = { path = path, text = file:read("a") }
    end
  end
end

--- All files below some folders whose name matches; those that do not exist hold none. Sorted by path.
---@param folders string[]
---@param pattern string
---@return {path:string, text:string}[]
function sources.list(folders, pattern)
  local files = {}
  for _, folder in ipairs(folders) do walk(folder, pattern, files) end
  table.sort(files, function(a, b) return a.path < b.path end)
  return files
end

--- The C of the program.
function sources.core()
  return sources.list({ "core" }, "%.[ch]$")
end

local function blank(text)
  return (text:gsub("[^\n]", " "))
end

-- Where the comment or literal that begins at `at` ends.
local function end_of_token(text, at)
  local two = text:sub(at, at + 1)
  if two == "/*" then return select(2, text:find("*/", at + 2, true)) or #text end
  if two == "//" then return (text:find("\n", at, true) or #text + 1) - 1 end
  local quote = text:sub(at, at)
  local last = at + 1
  while last < #text and text:sub(last, last) ~= quote do
    last = last + (text:sub(last, last) == "\\" and 2 or 1)
  end
  return last
end

--- C text in which comments and literals are blanks; every other byte stays where it is.
---@param text string
---@return string
function sources.code(text)
  local parts, at = {}, 1
  while true do
    local first = text:find("[\"'/]", at)
    if not first then break end
    local is_token = text:find("^[\"']", first) or text:find("^/[/*]", first)
    local last = is_token and end_of_token(text, first) or first
    parts[#parts + 1] = text:sub(at, first - 1)
    parts[#parts + 1] = is_token and blank(text:sub(first, last)) or "/"
    at = last + 1
  end
  parts[#parts + 1] = text:sub(at)
  return table.concat(parts)
end

--- The number of the line that holds the byte `at`.
---@param text string
---@param at integer
---@return integer
function sources.line_of(text, at)
  return select(2, text:sub(1, at - 1):gsub("\n", "")) + 1
end

-- Directives, with the lines they go on in, say nothing about functions.
local function without_directives(code)
  code = code:gsub("\\\n", "  ") -- joins a directive; line numbers are put right by the caller's text
  return (("\n" .. code):gsub("\n[ \t]*#[^\n]*", function(line) return "\n" .. blank(line:sub(2)) end):sub(2))
end

local function count_parameters(list)
  list = list:sub(2, -2):gsub("%b()", "")
  if list:find("^%s*$") or list:find("^%s*void%s*$") then return 0 end
  return select(2, list:gsub(",", "")) + 1
end

--- The functions that C text defines.
---@param text string
---@return {name:string, line:integer, lines:integer, parameters:integer}[]
function sources.functions(text)
  local original = sources.code(text)
  local code = without_directives(original)
  local functions, at = {}, 1
  while true do
    local open = code:find("{", at, true)
    if not open then return functions end
    local _, close = code:find("%b{}", open)
    local before = code:sub(at, open - 1)
    local head = before:sub(before:match("^.*[;}]()") or 1) -- behind what was declared last
    local name_at, name, parameters = head:match("^.-()([%a_][%w_]*)%s*(%b())%s*$")
    close = close or #code
    if name then
      local line = sources.line_of(original, open - #head + name_at - 1)
      functions[#functions + 1] = {
        name = name,
        line = line,
        lines = sources.line_of(original, close) - line + 1,
        parameters = count_parameters(parameters),
      }
    end
    at = close + 1
  end
end

--- The includes of C text.
---@param text string
---@return fun(): string, string  '"' or "<", and what stands between
function sources.includes(text)
  return ("\n" .. text):gmatch("\n#include ([\"<])([^\">]+)")
end

return sources
