-- What was made of texts lately, by text: clients say the same again and again. Short texts only, and so many; then
-- it begins anew.

local recent = {}

local KEPT_MAX <const>, TEXT_MAX <const> = 500, 128 -- entries, bytes

---@class recent.store
---@field by_text table<string, any>  to be read; changed by recent.keep alone, which may replace it
---@field count integer

---@return recent.store
function recent.new()
  return { by_text = {}, count = 0 }
end

--- Keeps what was made of a text.
---@param store recent.store
---@param text string
---@param value any
function recent.keep(store, text, value)
  if #text > TEXT_MAX then return end
  if store.count == KEPT_MAX then store.by_text, store.count = {}, 0 end
  store.by_text[text], store.count = value, store.count + 1
end

return recent
