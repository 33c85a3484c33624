-- The program of this tree, whose sessions are Server-Sent Events.
local chatty = require "bench.peers.chatty"

return function(place)
  local peer = chatty(place)
  peer.title = "chatty, Server-Sent Events"
  peer.flags = { "--stream", "--connect-path=/events" }
  return peer
end
