-- Writes the page docs/settings.md from the list of settings.

local option_types = require "settings.types"

local settings_page = {}

local HEAD = [[
# Settings

This page is made from `lua/settings/options.lua`; `chatty config` prints the same list with the values in force.

## Where they stand

A file `.env` in the working directory, overridden by the process environment, overridden by flags
(`--app-port=9999` or `--app-port 9999` for `APP_PORT`). In `.env` and environment a name may carry the
prefix of the environment that `CHATTY_ENV` or `NODE_ENV` chooses: `DEV_APP_PORT` in development (the
default), `TEST_APP_PORT` in test, `PROD_APP_PORT` in production. The prefixed name wins over the plain
one, and that over an alias, within the same file or environment. An empty value counts as not set.

A wrong value or an unknown flag ends the start with one line that says what is allowed. Unknown names in
`.env` may belong to other programs: only those that look like a mistyped setting are reported.

## How they are written

| type | text |
|---|---|
| size | a number with `b`, `kb`, `mb` or `gb` (1kb is 1024 bytes), such as `1.5mb`; a plain number is bytes |
| duration | a number with `ms`, `s`, `m` or `h`, such as `1.5s`; a plain number is seconds |
| boolean | `true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`; as a flag it may stand alone |
| list | items with commas between them (`PLUGINS`: colons), blanks around them do not count |

In `.env` a line is `NAME = value`. Blanks around `=` do not count, and `export ` may stand before the
name. A comment begins with `#` or `//` at the start of a line or after a blank, so `http://x` is a value.
In single or double quotes nothing is a comment and a value may run over several lines; in double quotes
`\n`, `\"` and `\\` are a line end, a quote and a backslash.
]]

local function cell_of_default(option)
  if option.default then return ("`%s`"):format(option.default) end
  return option.unset
end

local function row(option)
  local allowed = option_types.types[option.type].allowed(option)
  if option.secret then allowed = allowed .. "; never shown" end
  local names = ("`%s`"):format(option.name)
  for _, alias in ipairs(option.aliases or {}) do names = ("%s, `%s`"):format(names, alias) end
  return ("| %s | %s | %s | %s |\n"):format(names, allowed, cell_of_default(option), option.doc)
end

---@param sections table[]  of `options`
---@return string
function settings_page.markdown(sections)
  local parts = { HEAD }
  for _, section in ipairs(sections) do
    parts[#parts + 1] = ("\n## %s\n\n| setting | allowed | default | meaning |\n|---|---|---|---|\n")
      :format(section.title)
    for _, option in ipairs(section) do parts[#parts + 1] = row(option) end
  end
  return table.concat(parts)
end

return settings_page
