-- The context that a command gets, with all it prints kept in `out` and `err`.

local cjson = require "cjson"
local options = require "settings.options"

local cli_context = {}

local json = { encode = cjson.encode }

function json.decode(text)
  local ok, value = pcall(cjson.decode, text)
  if ok then return value end
  return nil, value, "INVALID"
end

-- Files in memory. `unwritable` is a path where writing fails.
local function make_files(texts, unwritable)
  local files = { texts = texts or {}, modes = {} }
  function files.exists(path) return files.texts[path] ~= nil end
  function files.read(path)
    if not files.texts[path] then return nil, "no such file", "NOT_FOUND" end
    return files.texts[path]
  end
  function files.write(path, text, mode)
    if path == unwritable then return nil, "permission denied", "DENIED" end
    if files.texts[path] then return nil, "file exists", "EXISTS" end
    files.texts[path], files.modes[path] = text, mode
    return true
  end
  return files
end

--- Takes args, secret (what stands on standard input), input (of options.read), files (path -> text),
--- unwritable, and any field of the context.
function cli_context.make(spec)
  local context = { out = {}, err = {}, args = spec.args or {}, json = json, routes = spec.routes,
    home = "/usr/share/chatty",
    make_token = spec.make_token, check_token = spec.check_token }
  context.settings, context.sources, context.warnings = options.read(spec.input or {})
  context.files = make_files(spec.files, spec.unwritable)
  function context.print(line) table.insert(context.out, line) end
  function context.error(line) table.insert(context.err, line) end
  function context.read_secret(question)
    context.question = question
    return spec.secret
  end
  function context.random(bytes) return ("r%d"):format(bytes) end
  return context
end

return cli_context
