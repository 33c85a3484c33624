/* SPDX-License-Identifier: Apache-2.0 */
#include "script/cage.h"

#include "api/api.h"

static int f_call(lua_State *L) {
    luaL_checkany(L, 1);
    return cage_call(L, BUDGET_PLUGIN);
}

static int f_setup(lua_State *L) {
    luaL_checkany(L, 1);
    return cage_call(L, BUDGET_SETUP);
}

static const luaL_Reg lib[] = {{"call", f_call}, {"setup", f_setup}, {NULL, NULL}};

int api_open_cage(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
