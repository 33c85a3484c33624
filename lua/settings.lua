-- The settings of this process, typed: sizes in bytes, durations in seconds, lists as arrays.

return require("settings.options").parse(require("core.node").settings)
