-- Puts load on one server: `bench/run peer NAME [FLAG]...`, with the flags of the load tool (`--help` lists them).
local peers = require "bench.peers"

local peer, reason = peers.find(arg[1] or "")
if not peer then
  io.stderr:write("bench: ", reason, "\n")
  os.exit(1)
end
local ok, _, code = os.execute(peers.line(peer, { table.unpack(arg, 2) }))
os.exit(ok or code)
