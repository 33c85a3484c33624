/* SPDX-License-Identifier: Apache-2.0
 *
 * In a running server a call is an op for the roster. A command line tool has the store open itself and
 * carries out the same op at once.
 */
#include "api/ask.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "hub/records.h"

enum {
    SPACE_MAX = 64,
    KEY_MAX = 1024,
    VALUE_MAX = 1024 * 1024,
    PAGE_SIZE = 1000,
    PAGE_SIZE_MAX = 10000
};

static int push_value(lua_State *L, const Op *op) {
    if (op->error == ERR_NOT_FOUND) {
        lua_pushnil(L);
        return 1;
    }
    push_str(L, bytes_str(op->value));
    return 1;
}

static int push_records(lua_State *L, const Op *op) {
    lua_createtable(L, (int)op->users->count, 0);
    for (uint32_t i = 0; i < op->users->count; i++) {
        lua_createtable(L, 0, 2);
        set_field_str(L, "key", op->users->items[i]);
        set_field_str(L, "value", op->channels->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushboolean(L, op->has_more);
    return 2;
}

static int push_answer(lua_State *L, void *data) {
    const Op *op = data;
    if (op->error != 0 && op->error != ERR_NOT_FOUND) return push_failure(L, op->error, NULL);
    switch (op->type) {
    case OP_GET: return push_value(L, op);
    case OP_EACH: return push_records(L, op);
    case OP_PUT:
    case OP_ERASE: lua_pushboolean(L, op->is_done); return 1;
    default: ensure(!"no op of records");
    }
    return 0;
}

static void change_now(Store *store, Op *op) {
    int err = store_begin(store);
    if (err == 0) err = records_apply(store, op);
    if (err == 0) err = store_commit(store);
    if (err == 0) return;
    store_rollback(store);
    op->error = ERR_UNAVAILABLE;
}

/* Takes the op. */
static int run_now(lua_State *L, Store *store, Op *op) {
    if (op->type == OP_PUT || op->type == OP_ERASE) {
        change_now(store, op);
    } else {
        records_read(store, op);
    }
    int count = push_answer(L, op);
    op_free(op);
    return count;
}

static int run(lua_State *L, Op *op) {
    const Api *api = api_of(L);
    return api->bus != NULL ? ask_roster(L, op, push_answer) : run_now(L, api->store, op);
}

/* Raises what can be raised before there is an op. */
static void check_can_run(lua_State *L) {
    const Api *api = api_of(L);
    if (api->bus != NULL) {
        task_check(L);
    } else if (api->store == NULL) {
        luaL_error(L, "this function needs a store");
    }
}

static Op *new_op(OpType type, Str space, Str key) {
    Op *op = op_new(type);
    op_set_name(op, space);
    op_set_after(op, key);
    return op;
}

static Str check_space(lua_State *L) {
    Str space = check_str(L, 1);
    luaL_argcheck(L, space.len > 0 && space.len <= SPACE_MAX, 1, "a space of 1 to 64 bytes");
    luaL_argcheck(L, memchr(space.data, '\0', space.len) == NULL, 1, "a space without NUL");
    return space;
}

static Str check_key(lua_State *L) {
    Str key = check_str(L, 2);
    luaL_argcheck(L, key.len > 0 && key.len <= KEY_MAX, 2, "a key of 1 to 1024 bytes");
    return key;
}

static int f_get(lua_State *L) {
    Str space = check_space(L);
    Str key = check_key(L);
    check_can_run(L);
    return run(L, new_op(OP_GET, space, key));
}

static int f_delete(lua_State *L) {
    Str space = check_space(L);
    Str key = check_key(L);
    check_can_run(L);
    return run(L, new_op(OP_ERASE, space, key));
}

/* stack: space, key, value, opts */
static int64_t check_end(lua_State *L) {
    if (lua_isnoneornil(L, 4)) return 0;
    if (lua_getfield(L, 4, "ttl") == LUA_TNIL) {
        lua_pop(L, 1);
        return 0;
    }
    lua_Number ttl = luaL_checknumber(L, -1);
    luaL_argcheck(L, ttl > 0 && ttl < 1e10, 4, "ttl must be positive seconds");
    lua_pop(L, 1);
    return clock_wall_ms() + (int64_t)(ttl * 1000);
}

/* What the record must be now: a string, or false for none. The string stays on the stack. */
static bool check_expect(lua_State *L, bool *is_text, Str *text) {
    *is_text = false;
    if (lua_isnoneornil(L, 4)) return false;
    int type = lua_getfield(L, 4, "expect");
    if (type == LUA_TNIL) return false;
    luaL_argcheck(L, type == LUA_TSTRING || !lua_toboolean(L, -1), 4,
                  "expect must be a string or false");
    *is_text = type == LUA_TSTRING;
    if (*is_text) *text = check_str(L, -1);
    return true;
}

static int f_set(lua_State *L) {
    static const char *const known[] = {"ttl", "expect", NULL};
    Str space = check_space(L);
    Str key = check_key(L);
    Str value = check_str(L, 3);
    luaL_argcheck(L, value.len <= VALUE_MAX, 3, "a value of at most 1 MiB");
    if (!lua_isnoneornil(L, 4)) check_keys(L, 4, known);
    int64_t expires_ms = check_end(L);
    bool is_text;
    Str expect = STR_NONE;
    bool must_match = check_expect(L, &is_text, &expect);
    check_can_run(L);
    Op *op = new_op(OP_PUT, space, key);
    op->value = bytes_copy(value);
    op->expires_ms = expires_ms;
    op->must_match = must_match;
    if (is_text) op->expect = bytes_copy(expect);
    return run(L, op);
}

static uint32_t check_size(lua_State *L) {
    lua_Integer size = PAGE_SIZE;
    if (lua_getfield(L, 2, "size") != LUA_TNIL) size = luaL_checkinteger(L, -1);
    luaL_argcheck(L, size > 0 && size <= PAGE_SIZE_MAX, 2, "size from 1 to 10000");
    lua_pop(L, 1);
    return (uint32_t)size;
}

static int f_each(lua_State *L) {
    static const char *const known[] = {"prefix", "after", "size", NULL};
    Str space = check_space(L);
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    check_keys(L, 2, known);
    Str after = opt_field_str(L, 2, "after");
    Str prefix = opt_field_str(L, 2, "prefix");
    uint32_t size = check_size(L);
    check_can_run(L);
    Op *op = new_op(OP_EACH, space, after);
    op_set_prefix(op, prefix);
    op->size = size;
    return run(L, op);
}

static const luaL_Reg lib[] = {
    {"get", f_get}, {"set", f_set}, {"delete", f_delete}, {"each", f_each}, {NULL, NULL}};

int api_open_store(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
