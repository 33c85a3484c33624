-- Names that no other example uses: fresh "user" is "user-1", then "user-2".

local count = 0

return function(kind)
  count = count + 1
  return ("%s-%d"):format(kind, count)
end
