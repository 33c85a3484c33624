-- The program of this tree, with one worker. The load tool speaks its language by itself.
return function(place)
  return {
    title = "chatty",
    command = { place.build .. "/chatty", "serve", "--app-host=127.0.0.1", "--app-port={port}", "--store=memory",
      "--workers=1", "--log-level=warn" },
    flags = {},
  }
end
