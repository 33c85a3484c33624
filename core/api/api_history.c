/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"

static uint32_t check_field_uint(lua_State *L, int index, const char *name) {
    lua_getfield(L, index, name);
    lua_Integer number = luaL_checkinteger(L, -1);
    luaL_argcheck(L, number > 0 && number <= UINT32_MAX, index, name);
    lua_pop(L, 1);
    return (uint32_t)number;
}

/* stack: pattern, what is kept. Without a running server there is nothing to keep. */
static int f_keep(lua_State *L) {
    static const char *const known[] = {"events", "bytes", "ttl_ms", NULL};
    Api *api = api_of(L);
    Str pattern = check_str(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    check_keys(L, 2, known);
    Retention retention = {
        .events_max = check_field_uint(L, 2, "events"),
        .bytes_max = check_field_uint(L, 2, "bytes"),
        .ttl_ms = check_field_uint(L, 2, "ttl_ms"),
    };
    if (api->history != NULL) retention_add(&api->retention, pattern, &retention);
    return 0;
}

static const luaL_Reg lib[] = {{"keep", f_keep}, {NULL, NULL}};

int api_open_history(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
