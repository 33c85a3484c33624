std = "lua54"
max_line_length = 120
cache = false
files["spec"] = { std = "+busted" }
files["examples/**/*_spec.lua"] = { std = "+busted" }
files["plugins/**/*_spec.lua"] = { std = "+busted" }
files["lua/meta"] = { ignore = { "212", "241", "431" } } -- declarations for editors, without bodies
