/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.revocations: what a worker knows of tokens that count no more.
 *     local r = revocations.new()
 *     r:add(space, key, value)  -> whether it was new
 *     r:has(user, claims)       -> boolean
 *     r:copy()                  -> another one that knows the same
 *     r:count()                 -> tokens, users
 *     r:sweep(count)
 *     revocations.key(user, claims), revocations.user(space, key)  -> text or nil
 */
#include "api/lua_args.h"
#include "data/revocations.h"
#include "test/test.h"

#define REVOCATIONS "core.test.revocations"

static Revocations *check_revocations(lua_State *L) {
    return luaL_checkudata(L, 1, REVOCATIONS);
}

static Revocations *push_revocations(lua_State *L) {
    Revocations *revocations = lua_newuserdatauv(L, sizeof *revocations, 0);
    revocations_init(revocations);
    luaL_setmetatable(L, REVOCATIONS);
    return revocations;
}

static int f_new(lua_State *L) {
    push_revocations(L);
    return 1;
}

static int f_copy(lua_State *L) {
    const Revocations *from = check_revocations(L);
    revocations_copy(push_revocations(L), from);
    return 1;
}

static int f_add(lua_State *L) {
    Revocations *revocations = check_revocations(L);
    lua_pushboolean(L, revocations_add(revocations, check_str(L, 2), check_str(L, 3), check_str(L, 4)));
    return 1;
}

static int f_has(lua_State *L) {
    lua_pushboolean(L, revocations_has(check_revocations(L), check_str(L, 2), check_str(L, 3)));
    return 1;
}

static int f_count(lua_State *L) {
    const Revocations *revocations = check_revocations(L);
    lua_pushinteger(L, (lua_Integer)revocations->tokens.count);
    lua_pushinteger(L, (lua_Integer)revocations->users.count);
    return 2;
}

static int f_sweep(lua_State *L) {
    revocations_sweep(check_revocations(L), (size_t)luaL_checkinteger(L, 2));
    return 0;
}

static int f_gc(lua_State *L) {
    revocations_deinit(check_revocations(L));
    return 0;
}

static int f_key(lua_State *L) {
    Buf key = BUF_NONE;
    if (!revocations_key(check_str(L, 1), check_str(L, 2), &key)) return 0;
    push_str(L, buf_str(&key));
    buf_deinit(&key);
    return 1;
}

static int f_user(lua_State *L) {
    push_str(L, revocations_user(check_str(L, 1), check_str(L, 2)));
    return 1;
}

static const luaL_Reg methods[] = {{"add", f_add},     {"has", f_has},     {"copy", f_copy},
                                   {"count", f_count}, {"sweep", f_sweep}, {"__gc", f_gc},
                                   {NULL, NULL}};

static const luaL_Reg functions[] = {{"new", f_new}, {"key", f_key}, {"user", f_user}, {NULL, NULL}};

int test_open_revocations(lua_State *L) {
    push_class(L, REVOCATIONS, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
