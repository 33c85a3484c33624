-- A bare send loop: bench/floor/floor.c.
return function(place)
  return {
    title = "floor",
    command = { place.build .. "/bench/floor", "{port}" },
    flags = { "--subscribe-path=", "--publish-path=/", "--publish-header=", "--connect-path=/", "--connect-header=",
      "--await=" },
  }
end
