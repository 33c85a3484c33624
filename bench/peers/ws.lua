-- The `ws` package on Node's own HTTP server: what most servers in Node are made of.
return function(place)
  if not place.node then return nil, "node is not there" end
  if not place.has(place.modules .. "/ws/package.json") then return nil, "npm's ws is not there" end
  return {
    title = "ws (Node)",
    env = { NODE_PATH = place.modules },
    command = { place.node, place.bench .. "/peers/ws.js", "{port}" },
    flags = { "--subscribe-path=", "--publish-path=/publish/{channel}", "--publish-header=",
      "--connect-path=/listen/{channel}", "--connect-header=", "--await=" },
  }
end
