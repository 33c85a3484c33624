std = "lua54"
max_line_length = 120
cache = false
files["spec"] = { std = "+busted" }
files["examples/**/*_spec.lua"] = { std = "+busted" }
files["plugins/**/*_spec.lua"] = { std = "+busted" }
files["lua/meta/words.lua"] = { ignore = { "111", "112", "121", "131", "212" } }
files["lua/meta"] = { ignore = { "212", "241", "431" } } -- declarations for editors, without bodies
