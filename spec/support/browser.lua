--- A headless Chromium, driven through chromedriver by the W3C WebDriver protocol. Whatever a spec waits for
--- is waited for as a condition; elements are named by CSS selectors.
local cjson = require "cjson"
local client = require "spec.support.client"
local mime = require "mime"
local process = require "spec.support.process"
local uv = require "luv"
local wait = require "spec.support.wait"

local ELEMENT = "element-6066-11e4-a52e-4f735466cecf" -- the member that makes JSON an element (WebDriver 11)
local START_SECONDS = 60

-- The pipe: the browser ends with its driver, however that ends.
local FLAGS = {
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-dev-shm-usage", "--remote-debugging-pipe",
}

---@class spec.Browser
---@field folder string       its home, gone when it stops
---@field process spec.Process of the driver
---@field port integer        of the driver
---@field tabs spec.Tab[]       that are open
local Browser = {}
Browser.__index = Browser

---@class spec.Tab
---@field browser spec.Browser
---@field handle string
local Tab = {}
Tab.__index = Tab

local browser = {}

local TEXTS = "return Array.from(document.querySelectorAll(arguments[0]), (one) => one.innerText.trim())"

local function remove_tree(path)
  for name, kind in uv.fs_scandir_next, uv.fs_scandir(path) do
    if kind == "directory" then remove_tree(path .. "/" .. name) else uv.fs_unlink(path .. "/" .. name) end
  end
  uv.fs_rmdir(path)
end

-- cjson writes an empty table as an object, and a list of arguments is never one.
local function encode_list(values)
  local list = {}
  for i, value in ipairs(values) do list[i] = cjson.encode(value) end
  return "[" .. table.concat(list, ",") .. "]"
end

-- One command of the protocol: its value; nil, what went wrong.
local function try_command(self, method, path, body)
  local response, reason = client.request{
    port = self.port, method = method, path = path, seconds = START_SECONDS,
    body = body or (method == "POST" and "{}" or nil),
  }
  if not response then return nil, "no answer: " .. reason end
  local value = response.json().value
  if response.status == 200 then return value end
  return nil, ("%s: %s"):format(value.error, (value.message:match("^[^\n]*")))
end

local function command(self, method, path, body)
  local value, fault = try_command(self, method, self.session .. path, body)
  if fault then error(("%s %s: %s"):format(method, path, fault), 0) end
  return value
end

local function capabilities(folder)
  local args = { "--user-data-dir=" .. folder .. "/profile", table.unpack(FLAGS) }
  local always = { browserName = "chrome", ["goog:chromeOptions"] = { args = args } }
  return cjson.encode{ capabilities = { alwaysMatch = always } }
end

local function wait_port(driver)
  return wait.until_(function()
    for _, line in ipairs(driver.out) do
      local port = line:match("started successfully on port (%d+)")
      if port then return tonumber(port) end
    end
  end, START_SECONDS)
end

--- Starts a browser with a profile of its own. Raises when it does not start. To be stopped by `stop`.
---@return spec.Browser
function browser.start()
  local self = setmetatable({ session = "", tabs = {} }, Browser)
  self.folder = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/chatty-browser-XXXXXX"))
  self.process = process.start{
    command = "chromedriver",
    args = { "--port=0" },
    env = { HOME = self.folder, TMPDIR = self.folder },
    folder = self.folder,
  }
  self.port = wait_port(self.process)
  local created, fault
  if self.port then created, fault = try_command(self, "POST", "/session", capabilities(self.folder)) end
  if not created then
    self:stop()
    error("the browser did not start: " .. (fault or "chromedriver is silent"), 2)
  end
  self.session = "/session/" .. created.sessionId
  self.home = command(self, "GET", "/window")
  self.current = self.home
  return self
end

--- Ends the browser and its driver, and removes what they wrote.
function Browser:stop()
  if self.port then try_command(self, "DELETE", self.session) end
  self.process:send_signal("sigterm")
  if not self.process:wait_exit() then self.process:kill() end
  remove_tree(self.folder)
end

-- Commands go to the window that was chosen last.
local function choose(self, handle)
  if self.current == handle then return end
  command(self, "POST", "/window", cjson.encode{ handle = handle })
  self.current = handle
end

local function tab_command(self, method, path, body)
  choose(self.browser, self.handle)
  return command(self.browser, method, path, body)
end

--- A page in a window of its own, so that it is never in the background.
---@param url string
---@return spec.Tab
function Browser:open(url)
  local handle = command(self, "POST", "/window/new", '{"type":"window"}').handle
  local tab = setmetatable({ browser = self, handle = handle }, Tab)
  self.tabs[#self.tabs + 1] = tab
  tab:go(url)
  return tab
end

--- Closes all pages.
function Browser:close_tabs()
  for _, tab in ipairs(self.tabs) do tab_command(tab, "DELETE", "/window") end
  self.tabs = {}
  choose(self, self.home)
end

local function element_path(self, selector)
  local body = cjson.encode{ using = "css selector", value = selector }
  return "/element/" .. tab_command(self, "POST", "/element", body)[ELEMENT]
end

--- Loads a page and waits until it is loaded.
function Tab:go(url)
  tab_command(self, "POST", "/url", cjson.encode{ url = url })
end

function Tab:reload()
  tab_command(self, "POST", "/refresh")
end

--- Runs JavaScript in the page and gives what it returns: `tab:eval("return arguments[0] + 1", 1)`.
---@param script string
---@return any
function Tab:eval(script, ...)
  local body = ('{"script":%s,"args":%s}'):format(cjson.encode(script), encode_list{ ... })
  return tab_command(self, "POST", "/execute/sync", body)
end

--- Clicks where a user would; raises when the element cannot be reached there.
---@param selector string
function Tab:click(selector)
  tab_command(self, "POST", element_path(self, selector) .. "/click")
end

--- Types into an element; a line break is the Enter key.
---@param selector string
---@param text string
function Tab:type(selector, text)
  local keys = text:gsub("\n", "\u{E007}")
  tab_command(self, "POST", element_path(self, selector) .. "/value", cjson.encode{ text = keys })
end

--- The visible texts of all elements that match.
---@param selector string
---@return string[]
function Tab:texts(selector)
  return self:eval(TEXTS, selector)
end

--- Whether an element that matches is to be seen.
---@param selector string
---@return boolean
function Tab:shows(selector)
  return self:eval("return document.querySelector(arguments[0])?.checkVisibility() ?? false", selector)
end

--- Waits until an element that matches is to be seen.
---@param selector string
---@return boolean
function Tab:wait_for(selector, seconds)
  return wait.until_(function() return self:shows(selector) end, seconds) or false
end

--- Waits until an element that matches has this visible text; gives all their texts when none gets it.
---@param selector string
---@param text string
---@return string|string[]
function Tab:wait_text(selector, text, seconds)
  local texts
  local found = wait.until_(function()
    texts = self:texts(selector)
    for _, one in ipairs(texts) do
      if one == text then return one end
    end
  end, seconds)
  return found or texts
end

--- Sends a command of the DevTools protocol: what WebDriver has no word for.
---@param name string    "Emulation.setEmulatedMedia"
---@param params string  JSON
function Tab:devtools(name, params)
  return tab_command(self, "POST", "/goog/cdp/execute", ('{"cmd":"%s","params":%s}'):format(name, params))
end

--- Lets the page be as large as on some device; `is_phone` with touch and the phone's own rules of layout.
---@param width integer
---@param height integer
---@param is_phone? boolean
function Tab:resize(width, height, is_phone)
  local params = '{"width":%d,"height":%d,"deviceScaleFactor":%d,"mobile":%s}'
  self:devtools("Emulation.setDeviceMetricsOverride",
    params:format(width, height, is_phone and 2 or 1, tostring(is_phone or false)))
end

--- Has the system prefer light or dark.
---@param scheme "light"|"dark"
function Tab:prefer(scheme)
  local params = '{"features":[{"name":"prefers-color-scheme","value":"%s"}]}'
  self:devtools("Emulation.setEmulatedMedia", params:format(scheme))
end

--- The page as PNG.
---@return string bytes
function Tab:screenshot()
  return (mime.unb64(tab_command(self, "GET", "/screenshot")))
end

return browser
