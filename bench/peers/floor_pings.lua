-- The floor that pings everybody every 25 seconds, as chatty does.
local floor = require "bench.peers.floor"

return function(place)
  local peer = floor(place)
  peer.title = "floor, with pings"
  peer.command[#peer.command + 1] = "pings"
  return peer
end
