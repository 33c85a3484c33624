/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading `from` raises nothing: what is read there is looked at without metamethods, and strings are never
 * converted. Whatever may raise happens in `to`, inside its protected call.
 */
#include "api/carry.h"

#include <lauxlib.h>

#include "api/api_json.h"
#include "api/api_session.h"
#include "api/api_socket.h"

enum { DEPTH_MAX = 100 };

typedef struct Carry {
    lua_State *from;
    lua_State *to;
    int seen; /* index of a table in `to`: address of a table in `from` -> its copy */
    unsigned depth;
    size_t left_out;
} Carry;

static bool copy(Carry *carry, int index);

/* stack of from: ..., key, value (stays); of to: ..., table */
static void copy_member(Carry *carry) {
    int value = lua_gettop(carry->from);
    if (!copy(carry, value - 1)) return;
    if (copy(carry, value)) {
        lua_rawset(carry->to, -3);
    } else {
        lua_pop(carry->to, 1);
    }
}

/* Pushes the copy that was made already. */
static bool find_seen(const Carry *carry, const void *address) {
    if (lua_rawgetp(carry->to, carry->seen, address) == LUA_TTABLE) return true;
    lua_pop(carry->to, 1);
    return false;
}

static bool copy_table(Carry *carry, int index) {
    const void *address = lua_topointer(carry->from, index);
    if (find_seen(carry, address)) return true;
    bool is_array = carry_is_array(carry->from, index);
    if (!is_array && lua_getmetatable(carry->from, index)) {
        lua_pop(carry->from, 1);
        return false;
    }
    if (carry->depth == DEPTH_MAX || !lua_checkstack(carry->from, 4)) return false;
    carry->depth++;
    lua_newtable(carry->to);
    lua_pushvalue(carry->to, -1);
    lua_rawsetp(carry->to, carry->seen, address);
    if (is_array) carry_mark_array(carry->to);
    lua_pushnil(carry->from);
    while (lua_next(carry->from, index) != 0) {
        copy_member(carry);
        lua_pop(carry->from, 1);
    }
    carry->depth--;
    return true;
}

static bool copy_object(const Carry *carry, int index) {
    return carry_raw_json(carry->from, index, carry->to) ||
           carry_session(carry->from, index, carry->to) || carry_socket(carry->from, index, carry->to);
}

/* Pushes a copy, or leaves it out. */
static bool copy_any(Carry *carry, int index) {
    lua_State *from = carry->from;
    lua_State *to = carry->to;
    luaL_checkstack(to, 4, "a value to hand over");
    switch (lua_type(from, index)) {
    case LUA_TNIL: lua_pushnil(to); return true;
    case LUA_TBOOLEAN: lua_pushboolean(to, lua_toboolean(from, index)); return true;
    case LUA_TLIGHTUSERDATA: lua_pushlightuserdata(to, lua_touserdata(from, index)); return true;
    case LUA_TTABLE: return copy_table(carry, index);
    case LUA_TUSERDATA: return copy_object(carry, index);
    case LUA_TNUMBER:
        if (lua_isinteger(from, index)) {
            lua_pushinteger(to, lua_tointeger(from, index));
        } else {
            lua_pushnumber(to, lua_tonumber(from, index));
        }
        return true;
    case LUA_TSTRING: {
        size_t len;
        const char *text = lua_tolstring(from, index, &len);
        lua_pushlstring(to, text, len);
        return true;
    }
    default: return false;
    }
}

static bool copy(Carry *carry, int index) {
    bool is_copied = copy_any(carry, index);
    if (!is_copied) carry->left_out++;
    return is_copied;
}

/* stack of to: Carry, index */
static int run(lua_State *to) {
    Carry *carry = lua_touserdata(to, 1);
    lua_newtable(to);
    carry->seen = lua_gettop(to);
    if (!copy(carry, (int)lua_tointeger(to, 2))) lua_pushnil(to);
    return 1;
}

int carry_value(lua_State *from, int index, Script *to, size_t *left_out) {
    int top = lua_gettop(from);
    Carry carry = {.from = from, .to = to->L};
    lua_pushcfunction(to->L, run);
    lua_pushlightuserdata(to->L, &carry);
    lua_pushinteger(to->L, lua_absindex(from, index));
    int err = script_call(to, 2, 1);
    lua_settop(from, top); /* an error may have come from the midst of a table */
    *left_out += carry.left_out;
    return err;
}
