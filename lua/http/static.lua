-- Files of a folder as answers: content types, conditional requests, and no way out of the folder.

local files = require "core.files"

local static = {}

local SIZE_MAX <const> = 16 * 1024 * 1024 -- a file is read into memory as a whole
local DEFAULT_TYPE <const> = "application/octet-stream"

local TYPES = {
  html = "text/html; charset=utf-8", css = "text/css; charset=utf-8", txt = "text/plain; charset=utf-8",
  js = "text/javascript; charset=utf-8", mjs = "text/javascript; charset=utf-8", json = "application/json",
  map = "application/json", svg = "image/svg+xml", png = "image/png", jpg = "image/jpeg", jpeg = "image/jpeg",
  gif = "image/gif", webp = "image/webp", avif = "image/avif", ico = "image/x-icon", woff = "font/woff",
  woff2 = "font/woff2", wasm = "application/wasm", pdf = "application/pdf", xml = "application/xml",
  mp3 = "audio/mpeg", mp4 = "video/mp4", webm = "video/webm", md = "text/markdown; charset=utf-8",
  webmanifest = "application/manifest+json",
}

-- Whether each part is a plain, visible name.
local function is_safe(path)
  if path:find("[\\%c]") then return false end
  for part in (path .. "/"):gmatch("([^/]*)/") do
    if part == "" or part:sub(1, 1) == "." then return false end
  end
  return true
end

-- Links may lead elsewhere within the folder, which may be one itself.
local function lies_within(folder, path)
  local root, file = files.absolute(folder), files.absolute(folder .. "/" .. path)
  return root and file and file:sub(1, #root + 1) == root .. "/"
end

--- The file that a path of a URL means, named from the folder; of a folder its index.html. nil: there is
--- none.
---@param folder string
---@param path string  decoded, without "/" in front
---@return string|nil
function static.find(folder, path)
  if path == "" or path:sub(-1) == "/" then path = path .. "index.html" end
  local is_there = is_safe(path) and files.kind(folder .. "/" .. path) == "file" and lies_within(folder, path)
  return is_there and path or nil
end

---@param path string
---@return string
function static.content_type(path)
  local extension = path:match("%.(%w+)$")
  return extension and TYPES[extension:lower()] or DEFAULT_TYPE
end

local function is_fresh(core, etag, modified)
  local tags = core:header("if-none-match")
  if tags then return tags == "*" or tags:find(etag, 1, true) ~= nil end
  return core:header("if-modified-since") == modified
end

--- Reads a file for an answer; without a body when the client has it already. Raises if it cannot be read.
---@param core core.request
---@param path string
---@return integer status, string|nil body, string[] headers
function static.read(core, path)
  local size, time = files.stat(path)
  if not size then error(("file '%s' cannot be read: %s"):format(path, time), 0) end
  if size > SIZE_MAX then error(("file '%s' is larger than %d bytes"):format(path, SIZE_MAX), 0) end
  local etag = ('"%x-%x"'):format(size, math.floor(time * 1000))
  local modified = os.date("!%a, %d %b %Y %H:%M:%S GMT", math.floor(time))
  local headers = {
    "Cache-Control", "no-cache", "ETag", etag, "Last-Modified", modified, "X-Content-Type-Options", "nosniff",
  }
  if is_fresh(core, etag, modified) then return 304, nil, headers end
  local text, message = files.read(path)
  if not text then error(("file '%s' cannot be read: %s"):format(path, message), 0) end
  return 200, text, headers
end

return static
