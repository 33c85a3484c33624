/* SPDX-License-Identifier: Apache-2.0 */
#include "api/lua_args.h"

#include <math.h>

#include "base/err.h"

enum { DELAY_MAX_S = 86400 };

Str check_str(lua_State *L, int arg) {
    size_t len;
    const char *text = luaL_checklstring(L, arg, &len);
    return str_make(text, len);
}

Str opt_str(lua_State *L, int arg) {
    return lua_isnoneornil(L, arg) ? STR_NONE : check_str(L, arg);
}

/* A difference of times is a little more or less than its milliseconds, which is not to make one more. */
uint32_t check_delay_ms(lua_State *L, int arg) {
    lua_Number seconds = luaL_checknumber(L, arg);
    luaL_argcheck(L, seconds >= 0 && seconds <= DELAY_MAX_S, arg, "seconds, from 0 to 86400");
    return (uint32_t)ceil(seconds * 1000 - 0.001);
}

Str opt_field_str(lua_State *L, int index, const char *name) {
    int type = lua_getfield(L, index, name);
    if (type != LUA_TSTRING && type != LUA_TNIL) luaL_error(L, "field '%s' must be a string", name);
    size_t len = 0;
    const char *text = lua_tolstring(L, -1, &len);
    lua_pop(L, 1);
    return str_make(text, len);
}

bool opt_field_bool(lua_State *L, int index, const char *name) {
    lua_getfield(L, index, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* stack: ..., list -> ..., the array */
static const Str *replace_list(lua_State *L, const char *name, size_t *count) {
    *count = lua_rawlen(L, -1);
    Str *items = lua_newuserdatauv(L, (*count + 1) * sizeof *items, 0);
    for (size_t i = 0; i < *count; i++) {
        if (lua_rawgeti(L, -2, (lua_Integer)i + 1) != LUA_TSTRING) {
            luaL_error(L, "field '%s' must be a list of strings", name);
        }
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);
        items[i] = str_make(text, len);
        lua_pop(L, 1);
    }
    lua_remove(L, -2);
    return items;
}

const Str *check_field_list(lua_State *L, int index, const char *name, size_t *count) {
    int type = lua_getfield(L, index, name);
    if (type != LUA_TTABLE && type != LUA_TNIL) luaL_error(L, "field '%s' must be a list", name);
    *count = 0;
    return type == LUA_TNIL ? NULL : replace_list(L, name, count);
}

const Str *check_list(lua_State *L, int arg, const char *name, size_t *count) {
    luaL_checktype(L, arg, LUA_TTABLE);
    lua_pushvalue(L, arg);
    return replace_list(L, name, count);
}

void check_keys(lua_State *L, int index, const char *const *known) {
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        const char *key = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        const char *const *at = known;
        while (key != NULL && *at != NULL && strcmp(*at, key) != 0) at++;
        if (key == NULL || *at == NULL) {
            luaL_error(L, "unknown key '%s'", key ? key : luaL_typename(L, -1));
        }
    }
}

void push_str(lua_State *L, Str text) {
    lua_pushlstring(L, text.data ? text.data : "", text.len);
}

int push_failure(lua_State *L, int err, const char *message) {
    lua_pushnil(L);
    lua_pushstring(L, message ? message : err_text(err));
    lua_pushstring(L, err_name(err));
    return 3;
}

void set_field_str(lua_State *L, const char *name, Str value) {
    push_str(L, value);
    lua_setfield(L, -2, name);
}

void set_field_integer(lua_State *L, const char *name, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

void push_weak_table(lua_State *L) {
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

void push_class(lua_State *L, const char *name, const luaL_Reg *methods) {
    if (luaL_newmetatable(L, name)) {
        luaL_setfuncs(L, methods, 0);
        lua_pushvalue(L, -1);
        lua_setfield(L, -2, "__index");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable"); /* scripts can neither see nor change it */
    }
}

void *to_typed(lua_State *L, int index, const char *type) {
    if (lua_type(L, index) != LUA_TUSERDATA) return NULL;
    void *found = lua_touserdata(L, index);
    return *(const char **)found == type ? found : NULL;
}

void *check_typed(lua_State *L, int arg, const char *type) {
    void *found = to_typed(L, arg, type);
    if (found == NULL) luaL_typeerror(L, arg, type);
    return found;
}
