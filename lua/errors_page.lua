-- Writes the page docs/errors.md from the catalogue of error codes, and from the close codes below.

local errors = require "errors"

local errors_page = {}

---@class errors_page.close_code
---@field code integer
---@field meaning string
---@field back boolean  whether the client may connect again

--- The codes that the server closes WebSockets with.
---@type errors_page.close_code[]
errors_page.close_codes = {
  { code = 1000, back = false, meaning = "A plugin closed the session and gave no other code." },
  { code = 1002, back = false, meaning = "The client broke the protocol." },
  { code = 1003, back = false, meaning = "A binary frame came to `/ws`, where events are text." },
  { code = 1007, back = false, meaning = "A text was not UTF-8." },
  { code = 1008, back = false, meaning = "A message came in more than `FRAGMENTS_MAX` frames." },
  { code = 1009, back = false, meaning = "A message was larger than `FRAME_MAX`." },
  { code = 1011, back = true, meaning = "A handler failed; the server's log says why." },
  { code = 1012, back = true, meaning = "The server stops or restarts." },
  { code = 1013, back = true, meaning = "The server could not take the session; try again later." },
  { code = 4001, back = true, meaning = "The token expired: come back with a new one." },
  { code = 4002, back = true,
    meaning = "More than `SESSION_QUEUE_MAX`, or than its part of `QUEUES_MAX`, waited; or too long. A client that"
      .. " takes nothing at all does not read this: its connection is cut." },
  { code = 4003, back = true, meaning = "The app server asked to reconnect (`reconnect=true`)." },
  { code = 4500, back = false,
    meaning = "`chatty:auth` brought a bad token or another user's, or none came within `AUTH_TIMEOUT`." },
  { code = 4501, back = false, meaning = "A plugin's `connect` hook refused; the reason is its text." },
  { code = 4502, back = false, meaning = "The app server disconnected the user." },
  { code = 4503, back = false,
    meaning = "Too many sessions: `SESSIONS_PER_USER_MAX` or `SESSIONS_MAX`." },
  { code = 4504, back = false, meaning = "The token was revoked: log in again." },
}

local HEAD = [[
# Errors

This page is made from `lua/errors.lua` by `lua/errors_page.lua`.

## How they look

Every error of HTTP is a JSON:API error object with the true status:

```json
{"errors":[{"status":"400","code":"parameter-missing","title":"Parameter missing",
  "detail":"Add the query parameter 'userId'.","source":{"parameter":"userId"}}]}
```

- `code` is for programs. It stays the same from release to release.
- `detail` is for people: what to do. It may change.
- `source`, where there is one, says what in the request is meant: a query `parameter`, a `header`, or a
  `pointer` (RFC 6901) into the body.

A refused frame of a WebSocket client is answered with the same code, as an event:

```json
{"event":"chatty:error","attributes":{"code":"no-handler","detail":"No plugin takes messages from clients.",
  "status":404}}
```

A request that is refused before it is routed (malformed, too large, too slow) also ends its connection.

Plugins refuse with codes of their own. When a plugin's handler returns a failure, `nil, message, "CODE"`, the
answer is 503 `unavailable` if the code is LIMIT, TIMEOUT, CANCELED, CLOSED, UNAVAILABLE or missing, else 500
with that code in lower case.

## Codes

| code | status | when |
|---|---|---|
]]

local CLOSE_HEAD = [[

## Close codes

From 4000 to 4499 a client may come back, from 4500 on it should stay away until something has changed.
Plugins may close with codes of their own from 3000 to 4999.

| code | meaning | come back? |
|---|---|---|
]]

local CLOSE_FOOT = [[

Hooks and clients also see 1005 (the other side closed without a code) and 1006 (the connection ended without
a closing handshake; a ping that was not answered within `PING_TIMEOUT` is one cause).
]]

local function add_codes(parts)
  local codes = {}
  for code in pairs(errors.codes) do codes[#codes + 1] = code end
  table.sort(codes)
  for _, code in ipairs(codes) do
    local entry = errors.codes[code]
    parts[#parts + 1] = ("| `%s` | %d | %s |\n"):format(code, entry.status, entry.meaning)
  end
end

local function add_close_codes(parts)
  parts[#parts + 1] = CLOSE_HEAD
  for _, entry in ipairs(errors_page.close_codes) do
    parts[#parts + 1] = ("| %d | %s | %s |\n"):format(entry.code, entry.meaning, entry.back and "yes" or "no")
  end
  parts[#parts + 1] = CLOSE_FOOT
end

---@return string
function errors_page.markdown()
  local parts = { HEAD }
  add_codes(parts)
  add_close_codes(parts)
  return table.concat(parts)
end

return errors_page
