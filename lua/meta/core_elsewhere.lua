---@meta
-- The C modules whose work is done elsewhere: by other threads, or by another process. As private as those of
-- meta/core.lua.

---@class core.password  `require "core.password"`; Argon2id, off the loop
local password = {}
--- (waits) code "LIMIT": too many are being worked on; try again later.
---@param text string  at most 1024 bytes
---@return string|nil hash, string? message, string? code
function password.hash(text) end
--- (waits) Also for hashes of bcrypt ("$2a$", "$2b$", "$2y$").
---@param text string
---@param hash string
---@return boolean|nil matches, string? message, string? code
function password.verify(text, hash) end
--- Whether password.hash would make a hash of other strength or kind now.
---@param hash string
---@return boolean
function password.is_outdated(hash) end

---@class core.reload  `require "core.reload"`
local reload = {}
--- (waits) Loads the plugins into new Lua states, and unless `dry` puts these in the place of those of all
--- workers. The generation that runs then; code is "INVALID" when the plugins cannot be loaded.
---@param dry? boolean
---@return integer|nil generation, string? message, string? code
function reload.run(dry) end

---@class core.remote  `require "core.remote"`; blocks, and so is for command line tools only
local remote = {}
--- Asks a chatty server; `host` "" is the loopback, a `key` that is not empty goes out as X-API-Key. The status and
--- the body; or nil, message and "CLOSED" (nobody listens), "UNAVAILABLE" (cut), "TIMEOUT" or
--- "INVALID" (what answers is no chatty).
---@param host string
---@param port integer
---@param method string
---@param path string   and query
---@param key string
---@param timeout integer  seconds
---@return integer|nil status, string body_or_message, string? code
function remote.ask(host, port, method, path, key, timeout) end
