-- What a proxy in front of the server says of the client, and what the client calls the server.

local proxy = {}

local function is_loopback(address)
  return address == "::1" or address:find("^127%.") ~= nil or address:find("^::ffff:127%.") ~= nil
end

local function trim(text)
  return (text:match("^%s*(.-)%s*$"))
end

--- The address of the client. A proxy on this machine is believed what it adds to X-Forwarded-For; anybody
--- else could write there what he likes.
---@param request request
---@return string
function proxy.address(request)
  local remote = request.remote
  local header = is_loopback(remote) and request:header("x-forwarded-for")
  local last = header and trim(header:match("[^,]*$"))
  return last and last:find("^[%x.:]+$") and #last <= 45 and last or remote
end

--- Whether the client came over TLS.
---@param request request
---@return boolean
function proxy.is_tls(request)
  local header = request:header("x-forwarded-proto")
  return header ~= nil and trim(header:match("^[^,]*")):lower() == "https"
end

local OWN <const> = { localhost = true, ["127.0.0.1"] = true, ["[::1]"] = true }

--- Whether a Host header names the machine as it names itself.
---@param host string  "localhost:3000"
---@return boolean
function proxy.is_own_name(host)
  return OWN[(host:lower():gsub(":%d*$", ""))] or false
end

return proxy
