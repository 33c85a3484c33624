-- The catalogue of error codes: every code that the server itself answers with, as data. The error
-- objects and docs/errors.md come from here. Plugins may refuse with codes of their own.

local errors = {}

--- The phrase of each status that an error may have.
errors.phrases = {
  [400] = "Bad Request", [401] = "Unauthorized", [402] = "Payment Required", [403] = "Forbidden",
  [404] = "Not Found", [405] = "Method Not Allowed", [406] = "Not Acceptable", [408] = "Request Timeout",
  [409] = "Conflict", [410] = "Gone", [412] = "Precondition Failed", [413] = "Content Too Large",
  [414] = "URI Too Long", [415] = "Unsupported Media Type", [417] = "Expectation Failed",
  [422] = "Unprocessable Content", [423] = "Locked", [426] = "Upgrade Required",
  [428] = "Precondition Required", [429] = "Too Many Requests", [431] = "Request Header Fields Too Large",
  [451] = "Unavailable For Legal Reasons", [500] = "Internal Server Error", [501] = "Not Implemented",
  [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout",
  [505] = "HTTP Version Not Supported", [508] = "Loop Detected",
}

---@class errors.entry
---@field status integer
---@field title string
---@field meaning string     for the docs: when it is answered
---@field is_limit? boolean  a configured limit was hit: counted as limit_hits_total

---@type table<string, errors.entry>
errors.codes = {}

local function add(status, code, title, meaning, is_limit)
  errors.codes[code] = { status = status, title = title, meaning = meaning, is_limit = is_limit }
end

-- Query parameters and names.
add(400, "query-malformed", "Query malformed",
  "A query parameter has broken percent-encoding or is not UTF-8.")
add(400, "parameter-unknown", "Parameter unknown", "The endpoint does not know this query parameter.")
add(400, "parameter-missing", "Parameter missing", "A query parameter that the endpoint needs is not there.")
add(400, "parameter-repeated", "Parameter repeated", "A query parameter stands twice where one is expected.")
add(400, "parameter-invalid", "Parameter invalid",
  "The value of a query parameter is not one that is allowed.")
add(400, "method-missing", "Method missing", "The query parameter method is not there.")
add(400, "method-invalid", "Method invalid",
  "The query parameter method has no kind that the endpoint knows.")
add(400, "list-empty", "List empty", "A list of names has no items.")
add(400, "list-too-long", "List too long", "A list has more names than NAMES_MAX.", true)
add(400, "name-invalid", "Name invalid",
  "The name of a user or channel is empty, too long (NAME_MAX), no UTF-8 or has control characters.")
add(400, "add-unknown", "Option unknown",
  "The query parameter add names an option that nobody has registered.")
add(400, "add-needs-object", "Attributes are no object",
  "The options of add need attributes that are an object.")

add(413, "add-too-large", "Too large for add",
  "An option of add makes an event for each channel, and together they are larger than REQUEST_MEMORY_MAX.", true)

-- Bodies.
add(400, "body-malformed", "Body malformed", "The body is not valid JSON.")
add(400, "event-missing", "Event missing", "The body has no member event.")
add(400, "event-invalid", "Event invalid", "The member event is not a string of 1 to 255 bytes.")
add(400, "event-reserved", "Event name reserved", "The event's name belongs to the server or to Socket.IO.")
add(400, "attributes-missing", "Attributes missing", "The member attributes is not there, or null.")
add(400, "event-term-invalid", "Term invalid",
  "A member beside event and attributes (except, ttl, key, ack, ifOffline, id) is not what it must be.")
add(400, "batch-invalid", "Batch invalid", "The body of a batch is not an array.")
add(400, "batch-too-long", "Batch too long", "A batch has more operations than BATCH_MAX.", true)
add(400, "operation-invalid", "Operation invalid", "An operation of a batch lacks something or has a wrong member.")
add(404, "event-unknown", "Event unknown", "None of the events that are remembered has this id, key or name.")
add(404, "ack-unknown", "Ack unknown", "No event of the last five minutes was sent with this ack.")
add(409, "idempotency-busy", "Still at work",
  "The first request with this idempotency key has not been answered for ten seconds.")
add(503, "idempotency-full", "Too many idempotency keys",
  "The keys of the last five minutes and what else workers share fill SHARED_MEMORY_MAX.", true)
add(400, "document-invalid", "Document invalid", "The body has not the form of a JSON:API document.")
add(400, "data-missing", "Data missing", "The JSON:API document has no primary data.")
add(400, "data-empty", "Data empty", "The JSON:API document names no channel.")
add(400, "type-invalid", "Type invalid", "The type of a resource is not a non-empty string.")
add(400, "id-invalid", "Id invalid", "The id of a resource is neither a non-empty string nor an integer.")
add(400, "username-invalid", "Username invalid",
  "The member username is not a name: 1 to NAME_MAX bytes of UTF-8 without control characters.")
add(400, "password-invalid", "Password invalid", "The member password is not one of 8 to 1024 bytes.")
add(400, "ttl-invalid", "Time to live invalid", "The member ttl is not a number of seconds that is allowed.")
add(400, "claims-invalid", "Claims invalid",
  "The member claims is not an object, or has a claim that the server sets.")
add(413, "body-too-large", "Body too large",
  "The body is larger than the endpoint, or MAX_REQ_SIZE, allows.", true)
add(415, "content-type-unsupported", "Content type unsupported",
  "The body is neither application/json nor application/vnd.api+json, or it has a wrong parameter.")
add(406, "not-acceptable", "Not acceptable",
  "Accept asks for application/vnd.api+json only with parameters or extensions that are not supported.")

-- Who may.
add(401, "credentials-missing", "Credentials missing", "The endpoint needs a token or key and got none.")
add(401, "key-invalid", "Key invalid", "The header holds no control key.")
add(401, "token-invalid", "Token invalid",
  "The token is malformed, or its signature or claims are not valid.")
add(401, "token-expired", "Token expired", "The token's exp is in the past.")
add(401, "token-not-yet", "Token not valid yet", "The token's nbf is in the future.")
add(401, "token-revoked", "Token revoked",
  "Somebody logged out with the token, or its user everywhere, or his password was changed.")
add(400, "secret-invalid", "Secret invalid", "The member secret is not a string of 16 to 4096 bytes.")
add(400, "grace-invalid", "Grace invalid", "The member grace is not a number of seconds up to 30 days.")
add(409, "secret-not-used", "Secret not used", "Tokens are checked with a public key, so there is no secret to change.")
add(401, "login-failed", "Login failed", "There is no user with this name and password.")
add(403, "control-required", "Control rights required",
  "The token or key is valid and does not give the right to control, or not this one.")
add(403, "registration-off", "Registration off", "REGISTRATION is off.")
add(409, "username-taken", "Username taken", "There is a user of this name.")
add(429, "login-rate", "Too many attempts",
  "An address or name tried more passwords in a minute than LOGIN_RATE_MAX.", true)
add(503, "password-busy", "Passwords busy", "Too many passwords are being worked on; try again.", true)
add(403, "host-not-local", "Host not local",
  "With CONTROL_AUTH=none the request must call the server localhost or by its loopback address.")
add(403, "origin-not-allowed", "Origin not allowed",
  "The token came in a cookie and the page's origin is not one of ALLOWED_ORIGINS.")
add(403, "forbidden", "Forbidden", "A plugin's own guard refused.")

-- Routing.
add(404, "not-found", "Not found", "There is nothing at this path.")
add(405, "method-not-allowed", "Method not allowed", "The path knows other methods; Allow names them.")
add(426, "upgrade-required", "Upgrade required", "The endpoint speaks WebSocket.")
add(426, "websocket-version", "WebSocket version unsupported", "Sec-WebSocket-Version is not 13.")
add(400, "websocket-handshake", "WebSocket handshake invalid", "The opening handshake breaks RFC 6455.")

-- Engine.IO.
add(400, "engine-request", "No request of Engine.IO",
  "EIO is not 4, transport is unknown, or the method is wrong: see source.")
add(400, "sid-unknown", "Session unknown", "There is no connection of Engine.IO that polls and has this sid.")
add(400, "request-concurrent", "Requests at once",
  "A polling client sent a request while another one of the same kind waited; its connection is closed.")
add(503, "polling-max", "Too many poll",
  "As many clients of Engine.IO poll one worker as connections may be open (CONNECTIONS_MAX).", true)
add(400, "packet-malformed", "Packet malformed", "The body of a polling client holds what is no packet.")

-- Operations.
add(400, "event-binary", "Binary event",
  "An event with binary attachments cannot be notified, only be sent to a session of Socket.IO.")
add(409, "subscriptions-max", "Too many subscriptions",
  "There would be more than SUBSCRIPTIONS_PER_USER_MAX or SUBSCRIPTIONS_MAX; nothing was changed.")
add(409, "reload-failed", "Reload failed",
  "The plugins cannot be loaded as they are now; those that run go on. `meta` names plugin, file and line.")
add(500, "internal", "Internal error", "A handler failed; the server's log says why.")
add(500, "hook-failed", "Hook failed", "A hook that must not fail did; the server's log says why.")
add(500, "hook-depth", "Hooks nested too deep", "Hooks caused each other in a circle.", true)
add(503, "plugin-parked", "Plugin parked",
  "The plugin behind it was stopped OVERRUNS_MAX times for its time or memory, and does nothing until it is mended.",
  true)
add(503, "queues-full", "Slow sessions", "More than QUEUES_MAX waits for slow sessions; nothing was emitted.", true)
add(503, "unavailable", "Unavailable", "A part that the operation needs does not work now; try again later.")
add(503, "not-ready", "Not ready", "The server is starting or stopping.")

-- Frames of WebSocket clients; they travel as `chatty:error`, the status is what HTTP would answer.
add(400, "frame-malformed", "Frame malformed", "A frame is not one event as JSON.")
add(401, "auth-required", "Authentication required", "A frame came before chatty:auth.")
add(404, "no-handler", "No handler", "No plugin takes messages from clients.")

-- Requests that are refused before they are routed (core/net).
add(400, "request-line-invalid", "Request line invalid", "The request line is not one of HTTP/1.1.")
add(400, "target-invalid", "Target invalid", "The path or query of the request is malformed.")
add(400, "line-end-invalid", "Line end invalid", "A line does not end with CR LF.")
add(400, "header-invalid", "Header invalid", "A header is malformed.")
add(400, "header-folded", "Header folded", "A header stretches over several lines.")
add(400, "host-invalid", "Host invalid", "The header Host is missing, repeated or malformed.")
add(400, "chunk-invalid", "Chunk invalid", "The chunked body is malformed.")
add(400, "length-invalid", "Length invalid",
  "Content-Length is malformed, contradicts itself or comes with Transfer-Encoding.")
add(400, "request-incomplete", "Request incomplete", "The client ended the connection within a request.")
add(400, "request-malformed", "Request malformed", "The request breaks RFC 9112 in another way.")
add(400, "transfer-encoding-invalid", "Transfer-Encoding invalid",
  "Transfer-Encoding is not just chunked; with 501, it names a coding that the server does not know.")
add(408, "request-timeout", "Request timeout", "The request came too slowly.", true)
add(414, "url-too-long", "URL too long", "Path and query are longer than URL_MAX.", true)
add(417, "expectation-unknown", "Expectation unknown", "Expect asks for other than 100-continue.")
add(431, "headers-too-large", "Headers too large", "The headers are larger than HEADER_MAX.", true)
add(431, "headers-too-many", "Too many headers", "There are more headers than HEADERS_MAX.", true)
add(501, "method-unknown", "Method unknown", "The server does not know this HTTP method.")
add(503, "answers-full", "Slow clients", "Answers that clients do not take fill half of QUEUES_MAX.", true)
add(503, "memory-busy", "Memory busy", "The bodies of all requests fill REQUEST_MEMORY_MAX.", true)
add(505, "version-unsupported", "HTTP version unsupported", "The server speaks HTTP/1.0 and HTTP/1.1.")

--- The title of an error: of its code when it is ours, else the phrase of its status.
---@param status integer
---@param code string
---@return string
function errors.title(status, code)
  local known = errors.codes[code]
  return known and known.title or errors.phrases[status] or "Error"
end

return errors
