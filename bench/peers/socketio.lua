-- Socket.IO 4 on Express: what chatty's forerunner was made of, over its WebSocket transport.
return function(place)
  if not place.node then return nil, "node is not there" end
  for _, name in ipairs { "socket.io", "express", "jsonwebtoken" } do
    if not place.has(place.modules .. "/" .. name .. "/package.json") then
      return nil, "npm's " .. name .. " is not there"
    end
  end
  return {
    title = "Socket.IO on Express",
    env = { NODE_PATH = place.modules },
    command = { place.node, place.bench .. "/peers/socketio.js", "{port}" },
    flags = { "--subscribe-path=", "--publish-path=/control/notify?method=channels:{channel}", "--publish-header=",
      "--connect-path=/socket.io/?EIO=4&transport=websocket&channel={channel}",
      "--connect-header=Authorization: Bearer {token}", "--await=0{", "--send=40", "--await=40{", "--ping=2",
      "--pong=3" },
  }
end
