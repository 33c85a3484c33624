-- The program of this tree, whose sessions are Socket.IO over its WebSocket transport.
local chatty = require "bench.peers.chatty"

return function(place)
  local peer = chatty(place)
  peer.title = "chatty, Socket.IO"
  peer.flags = { "--connect-path=/socket.io/?EIO=4&transport=websocket", "--await=0{", "--send=40",
    "--await=chatty:connected", "--ping=2", "--pong=3" }
  return peer
end
