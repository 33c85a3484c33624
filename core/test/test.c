/* SPDX-License-Identifier: Apache-2.0 */
#include "test/test.h"

int luaopen_core_test(lua_State *L) {
    lua_newtable(L);
#define TEST_OPEN(room)  \
    test_open_##room(L); \
    lua_setfield(L, -2, #room);
    TEST_ROOM_MAP(TEST_OPEN)
#undef TEST_OPEN
    return 1;
}
