/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.store: the kinds of store, by their URL.
 *     local s = store.open("sqlite:/tmp/x.db")  -> a store, or nil and the error's name
 *     s:begin(), s:add(user, channel [, by, mark]), s:remove(user, channel), s:forget_marks(), s:commit()
 *                                                                    -> nil, or the error's name
 *     s:load()  -> { "user channel", "user channel mark", ... }
 */
#include "api/lua_args.h"
#include "data/store.h"
#include "test/test.h"

#define STORE "core.test.store"

static int f_open(lua_State *L) {
    Store **handle = lua_newuserdatauv(L, sizeof(Store *), 0);
    *handle = NULL;
    luaL_setmetatable(L, STORE);
    int err = store_open(check_str(L, 1), true, handle);
    if (err == 0) return 1;
    lua_pushnil(L);
    lua_pushstring(L, err_name(err));
    return 2;
}

static Store *check_store(lua_State *L) {
    Store **handle = luaL_checkudata(L, 1, STORE);
    luaL_argcheck(L, *handle != NULL, 1, "it was closed");
    return *handle;
}

static int push_result(lua_State *L, int err) {
    lua_pushstring(L, err ? err_name(err) : NULL);
    return 1;
}

static int f_begin(lua_State *L) {
    return push_result(L, store_begin(check_store(L)));
}

static int f_add(lua_State *L) {
    uint64_t mark = (uint64_t)luaL_optinteger(L, 5, 0);
    return push_result(
        L, store_add(check_store(L), check_str(L, 2), check_str(L, 3), opt_str(L, 4), mark));
}

static int f_remove(lua_State *L) {
    return push_result(L, store_remove(check_store(L), check_str(L, 2), check_str(L, 3)));
}

static int f_forget_marks(lua_State *L) {
    return push_result(L, store_forget_marks(check_store(L)));
}

/* Gives what it came by, and since when in milliseconds; or nil, error. */
static int f_origin(lua_State *L) {
    StoreOrigin origin = {.by = BUF_NONE};
    int err = store_find_origin(check_store(L), check_str(L, 2), check_str(L, 3), &origin);
    if (err != 0) {
        lua_pushnil(L);
        push_result(L, err);
        return 2;
    }
    push_str(L, buf_str(&origin.by));
    lua_pushinteger(L, origin.since_ms);
    buf_deinit(&origin.by);
    return 2;
}

static int f_commit(lua_State *L) {
    return push_result(L, store_commit(check_store(L)));
}

static int f_rollback(lua_State *L) {
    store_rollback(check_store(L));
    return 0;
}

/* Adds to the list on top. */
static void on_subscription(void *context, Str user, Str channel, uint64_t mark) {
    lua_State *L = context;
    push_str(L, user);
    lua_pushliteral(L, " ");
    push_str(L, channel);
    lua_concat(L, 3);
    if (mark != 0) {
        lua_pushfstring(L, " %I", (lua_Integer)mark);
        lua_concat(L, 2);
    }
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int f_load(lua_State *L) {
    Store *store = check_store(L);
    lua_newtable(L);
    int err = store_load(store, on_subscription, L);
    if (err == 0) return 1;
    lua_pushnil(L);
    push_result(L, err);
    return 2;
}

static int f_close(lua_State *L) {
    Store **handle = luaL_checkudata(L, 1, STORE);
    if (*handle != NULL) store_close(*handle);
    *handle = NULL;
    return 0;
}

static const luaL_Reg methods[] = {
    {"begin", f_begin},
    {"add", f_add},
    {"remove", f_remove},
    {"forget_marks", f_forget_marks},
    {"commit", f_commit},
    {"load", f_load},
    {"rollback", f_rollback},
    {"origin", f_origin},
    {"close", f_close},
    {"__gc", f_close},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {{"open", f_open}, {NULL, NULL}};

int test_open_store(lua_State *L) {
    push_class(L, STORE, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
