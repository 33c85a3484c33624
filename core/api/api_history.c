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

static bool is_in_memory(const Api *api) {
    for (size_t i = 0; i < api->setting_count; i++) {
        if (strcmp(api->settings[i].name, "STORE") == 0) {
            return strcmp(api->settings[i].value, "memory") == 0;
        }
    }
    return true;
}

/* False: durable events need a store that is. Without a running server there is nothing to keep, and a trial
 * ends with its store. stack: pattern, what is kept */
static int f_keep(lua_State *L) {
    static const char *const known[] = {"events", "bytes", "ttl_ms", "durable", NULL};
    Api *api = api_of(L);
    Str pattern = check_str(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    check_keys(L, 2, known);
    Retention retention = {
        .events_max = check_field_uint(L, 2, "events"),
        .bytes_max = check_field_uint(L, 2, "bytes"),
        .ttl_ms = check_field_uint(L, 2, "ttl_ms"),
        .is_durable = opt_field_bool(L, 2, "durable"),
    };
    bool is_refused = retention.is_durable && api->trial == NULL && is_in_memory(api);
    lua_pushboolean(L, api->history == NULL || !is_refused);
    if (api->history == NULL || is_refused) return 1;
    retention_add(&api->retention, pattern, &retention);
    return 1;
}

static const luaL_Reg lib[] = {{"keep", f_keep}, {NULL, NULL}};

int api_open_history(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
