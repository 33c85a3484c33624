-- bun's own server, whose WebSockets are uWebSockets, by its binary as npm ships it.
return function(place)
  local program = place.modules .. "/@oven/bun-linux-x64/bin/bun"
  if not place.has(program) then return nil, "npm's @oven/bun-linux-x64 is not there" end
  return {
    title = "bun (uWebSockets inside)",
    command = { program, place.bench .. "/peers/bun.js", "{port}" },
    flags = { "--subscribe-path=", "--publish-path=/publish/{channel}", "--publish-header=",
      "--connect-path=/listen/{channel}", "--connect-header=", "--await=" },
  }
end
