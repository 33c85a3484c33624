-- The public module, as our own endpoints have it: the same that plugins get.

return require("plugin.public").module("chatty")
