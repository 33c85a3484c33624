/* SPDX-License-Identifier: Apache-2.0
 *
 * test: opens C rooms to the specs: `local json = require("core.test").json`. One file test_<room>.c
 * and one opener per room; it pushes the table of the room's functions. Built into core/test.so only.
 */
#ifndef TEST_TEST_H
#define TEST_TEST_H

#include <lauxlib.h>
#include <lua.h>

/* The rooms that are opened. */
#define TEST_ROOM_MAP(X) \
    X(address)           \
    X(api)               \
    X(base)              \
    X(base64)            \
    X(bus)               \
    X(eio)               \
    X(graph)             \
    X(history)           \
    X(http)              \
    X(hub)               \
    X(job)               \
    X(json)              \
    X(ledger)            \
    X(meters)            \
    X(password)          \
    X(pool)              \
    X(race)              \
    X(revocations)       \
    X(shared)            \
    X(sio)               \
    X(sse)               \
    X(store)             \
    X(task)              \
    X(token)             \
    X(trace)             \
    X(ws)

#define TEST_OPENER(room) int test_open_##room(lua_State *L);
TEST_ROOM_MAP(TEST_OPENER)
#undef TEST_OPENER

int luaopen_core_test(lua_State *L);

#endif
