/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.api: those modules of core/api that need no worker, as Lua gets them: names, query.
 */
#include "api/api.h"
#include "test/test.h"

int test_open_api(lua_State *L) {
    lua_createtable(L, 0, 2);
    api_open_names(L);
    lua_setfield(L, -2, "names");
    api_open_query(L);
    lua_setfield(L, -2, "query");
    return 1;
}
