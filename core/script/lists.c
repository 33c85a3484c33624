/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua's own functions are called for plain lists: there they are bounded by what is there. A list with a
 * metatable may have any length, and metamethods that are C functions, which no hook interrupts.
 */
#include "script/lists.h"

#include <lauxlib.h>

#include "script/budget.h"

enum { MOVED_MAX = 10000000 }; /* by one call on plain lists */

static bool has_metatable(lua_State *L, int arg) {
    if (!lua_getmetatable(L, arg)) return false;
    lua_pop(L, 1);
    return true;
}

static int call_own(lua_State *L) {
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* list[to] = list[from] */
static void copy_item(lua_State *L, lua_Integer from, lua_Integer to) {
    budget_check(L);
    lua_geti(L, 1, from);
    lua_seti(L, 1, to);
}

static int f_insert(lua_State *L) {
    if (!lua_istable(L, 1) || !has_metatable(L, 1)) return call_own(L);
    lua_Integer end = luaL_len(L, 1) + 1;
    lua_Integer at = end;
    if (lua_gettop(L) == 3) {
        at = luaL_checkinteger(L, 2);
        luaL_argcheck(L, at >= 1 && at <= end, 2, "position out of bounds");
        for (lua_Integer i = end; i > at; i--) copy_item(L, i - 1, i);
    } else if (lua_gettop(L) != 2) {
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_seti(L, 1, at);
    return 0;
}

static int f_remove(lua_State *L) {
    if (!lua_istable(L, 1) || !has_metatable(L, 1)) return call_own(L);
    lua_Integer size = luaL_len(L, 1);
    lua_Integer at = luaL_optinteger(L, 2, size);
    if (lua_gettop(L) > 1) {
        luaL_argcheck(L, at >= 1 ? at <= size + 1 : size == 0 && at == 0, 1, "position out of bounds");
    }
    lua_geti(L, 1, at);
    for (; at < size; at++) copy_item(L, at + 1, at);
    lua_pushnil(L);
    lua_seti(L, 1, at);
    return 1;
}

/* stack: from, first, last, at, to */
static int f_move(lua_State *L) {
    int to = lua_isnoneornil(L, 5) ? 1 : 5;
    if (!lua_istable(L, 1) || !lua_istable(L, to)) return call_own(L);
    lua_Integer first = luaL_checkinteger(L, 2);
    lua_Integer last = luaL_checkinteger(L, 3);
    lua_Integer at = luaL_checkinteger(L, 4);
    if (last < first) return call_own(L);
    bool is_long = (lua_Unsigned)last - (lua_Unsigned)first >= MOVED_MAX;
    if (!is_long && !has_metatable(L, 1) && !has_metatable(L, to)) return call_own(L);
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    luaL_argcheck(L, at <= LUA_MAXINTEGER - (last - first), 4, "destination wrap around");
    bool is_upwards = at > last || at <= first || (to != 1 && !lua_compare(L, 1, to, LUA_OPEQ));
    for (lua_Integer i = 0; i <= last - first; i++) {
        budget_check(L);
        lua_Integer k = is_upwards ? i : last - first - i;
        lua_geti(L, 1, first + k);
        lua_seti(L, to, at + k);
    }
    lua_pushvalue(L, to);
    return 1;
}

static void add_item(lua_State *L, luaL_Buffer *out, lua_Integer i) {
    budget_check(L);
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1),
                   (LUAI_UACINT)i);
    }
    luaL_addvalue(out);
}

static int f_concat(lua_State *L) {
    if (!lua_istable(L, 1) || !has_metatable(L, 1)) return call_own(L);
    size_t len;
    const char *separator = luaL_optlstring(L, 2, "", &len);
    lua_Integer first = luaL_optinteger(L, 3, 1);
    lua_Integer last = lua_isnoneornil(L, 4) ? luaL_len(L, 1) : luaL_checkinteger(L, 4);
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (lua_Integer i = first; i <= last; i++) {
        add_item(L, &out, i);
        if (i == last) break;
        luaL_addlstring(&out, separator, len);
    }
    luaL_pushresult(&out);
    return 1;
}

/* The comparator, or nil, is the upvalue. */
static int f_compare(lua_State *L) {
    budget_check(L);
    if (lua_isnil(L, lua_upvalueindex(1))) {
        lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
    } else {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, lua_gettop(L) - 1, 1);
    }
    return 1;
}

enum { SORTED_PLAINLY_MAX = 1000 };

static int f_sort(lua_State *L) {
    if (!lua_istable(L, 1)) return call_own(L);
    bool is_plain = !has_metatable(L, 1) && lua_rawlen(L, 1) <= SORTED_PLAINLY_MAX;
    bool is_own = lua_isfunction(L, 2) && !lua_iscfunction(L, 2); /* a hook interrupts it */
    if (is_own || (is_plain && lua_isnoneornil(L, 2))) return call_own(L);
    if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_pushcclosure(L, f_compare, 1);
    return call_own(L);
}

static const luaL_Reg functions[] = {{"concat", f_concat}, {"insert", f_insert}, {"move", f_move},
                                     {"remove", f_remove}, {"sort", f_sort},     {NULL, NULL}};

void lists_open(lua_State *L) {
    lua_getglobal(L, "table");
    for (const luaL_Reg *one = functions; one->name != NULL; one++) {
        lua_getfield(L, -1, one->name);
        lua_pushcclosure(L, one->func, 1);
        lua_setfield(L, -2, one->name);
    }
    lua_pop(L, 1);
}
