-- The same with one send for each subscriber and turn of its loop.
local floor = require "bench.peers.floor"

return function(place)
  local peer = floor(place)
  peer.title = "floor, batched"
  peer.command[#peer.command + 1] = "batched"
  return peer
end
