/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"
#include "base/log.h"

enum { FIELDS_MAX = 32, TEXT_BYTES_MAX = 8192 };

static const char *const level_names[] = {"debug", "info", "warn", "error", NULL};

static LogLevel check_level(lua_State *L, int arg) {
    return (LogLevel)luaL_checkoption(L, arg, NULL, level_names);
}

/* What is longer is cut: a line is one write, and nobody reads megabytes. */
static Str cut(Str text) {
    return text.len > TEXT_BYTES_MAX ? str_make(text.data, TEXT_BYTES_MAX) : text;
}

/* stack: level, message, fields; the values as text are left on the stack behind them */
static size_t push_fields(lua_State *L, LogField fields[FIELDS_MAX]) {
    size_t count = 0;
    if (lua_isnoneornil(L, 3)) return 0;
    luaL_checktype(L, 3, LUA_TTABLE);
    luaL_checkstack(L, FIELDS_MAX + 4, NULL);
    lua_pushnil(L);
    while (count < FIELDS_MAX && lua_next(L, 3) != 0) {
        int type = lua_type(L, -1);
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 3, "field names must be strings");
        size_t len;
        const char *text = luaL_tolstring(L, -1, &len);
        fields[count++] = (LogField){lua_tostring(L, -3), cut(str_make(text, len)),
                                     type == LUA_TNUMBER || type == LUA_TBOOLEAN};
        /* stack: key, value, text -> text, key */
        lua_remove(L, -2);
        lua_insert(L, -2);
    }
    return count;
}

static int f_write(lua_State *L) {
    LogLevel level = check_level(L, 1);
    Str message = check_str(L, 2);
    lua_settop(L, 3);
    if (!log_is_on(level)) return 0;
    LogField fields[FIELDS_MAX];
    size_t count = push_fields(L, fields);
    log_write(level, cut(message), fields, count);
    return 0;
}

static int f_is_on(lua_State *L) {
    lua_pushboolean(L, log_is_on(check_level(L, 1)));
    return 1;
}

static const luaL_Reg lib[] = {{"write", f_write}, {"is_on", f_is_on}, {NULL, NULL}};

int api_open_log(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
