/* SPDX-License-Identifier: Apache-2.0 */
#include "script/stdlib.h"

#include <lauxlib.h>
#include <lualib.h>

#include "script/lists.h"
#include "script/nested.h"
#include "script/strings.h"

void stdlib_open(lua_State *L) {
    luaL_openlibs(L);
    nested_open(L);
    strings_open(L);
    lists_open(L);
}
