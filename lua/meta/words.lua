---@meta
-- The words that specs are written with in `chatty test`, which are those of busted: LuaCATS stubs for editors.

--- Groups tests; may hold other groups. (since 1.0)
---@param name string
---@param f fun()
function describe(name, f) end

--- (since 1.0)
---@param name string
---@param f fun()
function context(name, f) end

--- A test. (since 1.0)
---@param name string
---@param f fun()
function it(name, f) end

--- (since 1.0)
---@param name string
---@param f fun()
function spec(name, f) end

--- (since 1.0)
---@param name string
---@param f fun()
function test(name, f) end

--- A test that is to be written, or mended, later; within a test it ends that. (since 1.0)
---@param name string
---@param f? fun()
function pending(name, f) end

--- Runs before each test of the group, those of outer groups first. (since 1.0)
---@param f fun()
function before_each(f) end

--- Runs after each test of the group, also one that failed, those of inner groups first. (since 1.0)
---@param f fun()
function after_each(f) end

--- Runs once, before the tests of the group. There is no server yet. (since 1.0)
---@param f fun()
function setup(f) end

--- Runs once, after the tests of the group. (since 1.0)
---@param f fun()
function teardown(f) end

--- Within a test: runs when it is over, also when it failed. (since 1.0)
---@param f fun()
function finally(f) end

--- Every check has its opposite: `is_not_nil`, `are_not.equal`, `has_no.errors`. One more argument than a check needs
--- is a message, which comes first when it fails.
---@class test.assert           since 1.0
---@field is_true fun(value: any, message?: string)
---@field is_false fun(value: any, message?: string)
---@field is_nil fun(value: any, message?: string)
---@field is_not_nil fun(value: any, message?: string)
---@field truthy fun(value: any, message?: string)
---@field falsy fun(value: any, message?: string)
---@field equal fun(expected: any, passed: any, message?: string)   by ==
---@field not_equal fun(expected: any, passed: any, message?: string)
---@field same fun(expected: any, passed: any, message?: string)    by members
---@field not_same fun(expected: any, passed: any, message?: string)
---@field near fun(expected: number, passed: number, tolerance: number, message?: string)
---@field matches fun(pattern: string, text: string, message?: string)  a Lua pattern
---@field not_matches fun(pattern: string, text: string, message?: string)
---@field has_error fun(f: fun(), expected?: any, message?: string)
---@field has_no_error fun(f: fun(), message?: string)
---@field error_matches fun(f: fun(), pattern: string, message?: string)
---@field is_string fun(value: any, message?: string)
---@field is_number fun(value: any, message?: string)
---@field is_table fun(value: any, message?: string)
---@field is_function fun(value: any, message?: string)
---@field is_boolean fun(value: any, message?: string)
---@field is test.assert
---@field is_not test.assert
---@field are test.assert
---@field are_not test.assert
---@field has test.assert
---@field has_no test.assert
---@field [string] any
---@overload fun(value: any, message?: any, ...: any): any
assert = {}
