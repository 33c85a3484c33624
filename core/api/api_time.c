/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"
#include "base/clock.h"

static int f_now(lua_State *L) {
    lua_pushnumber(L, (lua_Number)clock_wall_ms() / 1000);
    return 1;
}

static int f_monotonic(lua_State *L) {
    lua_pushnumber(L, (lua_Number)clock_monotonic_ms() / 1000);
    return 1;
}

static int f_rfc3339(lua_State *L) {
    char text[CLOCK_RFC3339_LEN + 1];
    lua_Number seconds = luaL_optnumber(L, 1, (lua_Number)clock_wall_ms() / 1000);
    luaL_argcheck(L, seconds >= 0 && seconds < CLOCK_RFC3339_END_S, 1, "a time from 1970 to 9999");
    clock_format_rfc3339((int64_t)(seconds * 1000 + 0.5), text);
    lua_pushstring(L, text);
    return 1;
}

static const luaL_Reg lib[] = {
    {"now", f_now}, {"monotonic", f_monotonic}, {"rfc3339", f_rfc3339}, {NULL, NULL}};

int api_open_time(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
