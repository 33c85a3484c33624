-- A fake of core.http.

local fake_http = {}

-- Answers by URL: { status, headers as a flat list, body }, or { nil, message, code }; http.calls is what was asked.
function fake_http.new()
  local http = { calls = {}, answers = {} }
  local function parse(url)
    local scheme, host, port, rest = url:match("^(https?)://([^/:]+):?(%d*)(.*)$")
    if not scheme then return nil, "it is no URL", "INVALID" end
    return {
      url = url, scheme = scheme, host = host:lower(), rest = rest,
      port = math.tointeger(tonumber(port)) or (scheme == "https" and 443 or 80),
    }
  end
  function http.parse(url, base)
    if base and url:sub(1, 1) == "/" then url = base:match("^https?://[^/]+") .. url end
    return parse(url)
  end
  function http.call(query)
    local copy = {}
    for name, value in pairs(query) do copy[name] = value end
    http.calls[#http.calls + 1] = copy
    return table.unpack(http.answers[query.url] or { nil, "nobody is there", "UNAVAILABLE" }, 1, 3)
  end
  return http
end

return fake_http
