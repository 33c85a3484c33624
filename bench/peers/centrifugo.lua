-- Centrifugo, where a Go toolchain can install it. Clients subscribe themselves, with a token for the connection.
local START = [[
export CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY="$JWT_SECRET" CENTRIFUGO_HTTP_API_KEY="$CONTROL_KEY"
export CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_ALLOW_SUBSCRIBE_FOR_CLIENT=true CENTRIFUGO_LOG_LEVEL=warn
export CENTRIFUGO_HTTP_SERVER_ADDRESS=127.0.0.1 CENTRIFUGO_HTTP_SERVER_PORT="$2"
exec "$1"]]

return function(place)
  local program = place.peers .. "/centrifugo"
  if not place.has(program) then return nil, "go install of centrifugo did not succeed here" end
  return {
    title = "Centrifugo",
    command = { "sh", "-c", START, "centrifugo", program, "{port}" },
    flags = { "--subscribe-path=", "--publish-path=/api/publish",
      '--publish-body={"channel":"{channel}","data":{attributes}}', "--publish-header=X-API-Key: {key}",
      "--connect-path=/connection/websocket", "--connect-header=",
      '--send={"id":1,"connect":{"token":"{token}"}}', '--await="connect":',
      '--send={"id":2,"subscribe":{"channel":"{channel}"}}', '--await="subscribe":', "--ping={}", "--pong={}" },
  }
end
