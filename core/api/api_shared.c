/* SPDX-License-Identifier: Apache-2.0
 *
 * The key of an entry is the space, a NUL, and the key within it.
 */
#include "api/api.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "data/shared.h"

enum { SPACE_MAX = 64, KEY_MAX = 1024, VALUE_MAX = 1024 * 1024 };

typedef struct Key {
    size_t len;
    char text[SPACE_MAX + 1 + KEY_MAX];
} Key;

static Shared *check_shared(lua_State *L) {
    Shared *shared = api_of(L)->shared;
    if (shared == NULL) luaL_error(L, "this function needs a running server");
    return shared;
}

/* From the arguments 1 and 2. */
static Str check_key(lua_State *L, Key *key) {
    Str space = check_str(L, 1);
    luaL_argcheck(L, space.len > 0 && space.len <= SPACE_MAX, 1, "a space of 1 to 64 bytes");
    luaL_argcheck(L, memchr(space.data, '\0', space.len) == NULL, 1, "a space without NUL");
    Str name = check_str(L, 2);
    luaL_argcheck(L, name.len > 0 && name.len <= KEY_MAX, 2, "a key of 1 to 1024 bytes");
    memcpy(key->text, space.data, space.len);
    key->text[space.len] = '\0';
    memcpy(key->text + space.len + 1, name.data, name.len);
    key->len = space.len + 1 + name.len;
    return str_make(key->text, key->len);
}

/* stack: space, key, value, opts */
static uint64_t check_end(lua_State *L, uint64_t now_ms) {
    if (lua_isnoneornil(L, 4)) return 0;
    int type = lua_getfield(L, 4, "ttl");
    lua_Number ttl = type == LUA_TNIL ? 0 : luaL_checknumber(L, -1);
    luaL_argcheck(L, type == LUA_TNIL || (ttl > 0 && ttl < 1e10), 4, "ttl must be positive seconds");
    lua_pop(L, 1);
    return type == LUA_TNIL ? 0 : now_ms + (uint64_t)(ttl * 1000);
}

/* Plugins' spaces begin so (lua/plugin/shared.lua). */
static bool is_guest(lua_State *L) {
    return str_has_prefix(check_str(L, 1), STR("plugin:"));
}

static int f_get(lua_State *L) {
    Key key;
    Shared *shared = check_shared(L);
    Str name = check_key(L, &key);
    uint64_t now_ms = clock_monotonic_ms();
    luaL_Buffer buffer;
    size_t len = LUAL_BUFFERSIZE;
    char *out = luaL_buffinitsize(L, &buffer, len);
    int err = shared_get(shared, name, now_ms, out, &len);
    while (err == ERR_LIMIT) { /* another thread may make it longer still */
        out = luaL_prepbuffsize(&buffer, len);
        err = shared_get(shared, name, now_ms, out, &len);
    }
    luaL_pushresultsize(&buffer, err == 0 ? len : 0);
    if (err != 0) lua_pushnil(L);
    return 1;
}

/* What the entry must be now: a string, or false for none. The string stays on the stack. */
static void check_expect(lua_State *L, SharedChange *change) {
    if (lua_isnoneornil(L, 4)) return;
    int type = lua_getfield(L, 4, "expect");
    luaL_argcheck(L, type == LUA_TSTRING || !lua_toboolean(L, -1), 4,
                  "expect must be a string or false");
    change->must_match = type != LUA_TNIL;
    change->must_exist = type == LUA_TSTRING;
    if (change->must_exist) change->expect = check_str(L, -1);
}

static int f_set(lua_State *L) {
    static const char *const known[] = {"ttl", "expect", NULL};
    Key key;
    Shared *shared = check_shared(L);
    SharedChange change = {
        .key = check_key(L, &key), .value = check_str(L, 3), .is_guest = is_guest(L)};
    luaL_argcheck(L, change.value.len <= VALUE_MAX, 3, "a value of at most 1 MiB");
    if (!lua_isnoneornil(L, 4)) check_keys(L, 4, known);
    uint64_t now_ms = clock_monotonic_ms();
    change.expires_ms = check_end(L, now_ms);
    check_expect(L, &change);
    int err = shared_set(shared, &change, now_ms);
    if (err == ERR_LIMIT) return push_failure(L, err, "the shared dictionary is full");
    lua_pushboolean(L, err == 0);
    return 1;
}

static int f_delete(lua_State *L) {
    Key key;
    Shared *shared = check_shared(L);
    lua_pushboolean(L, shared_remove(shared, check_key(L, &key), clock_monotonic_ms()));
    return 1;
}

static int f_increment(lua_State *L) {
    static const char *const known[] = {"ttl", NULL};
    Key key;
    Shared *shared = check_shared(L);
    SharedStep step = {
        .key = check_key(L, &key), .amount = luaL_optinteger(L, 3, 1), .is_guest = is_guest(L)};
    if (!lua_isnoneornil(L, 4)) check_keys(L, 4, known);
    uint64_t now_ms = clock_monotonic_ms();
    step.expires_ms = check_end(L, now_ms);
    int64_t sum;
    uint64_t end_ms;
    int err = shared_increment(shared, &step, now_ms, &sum, &end_ms);
    if (err == ERR_LIMIT) return push_failure(L, err, "the shared dictionary is full");
    if (err != 0) return push_failure(L, err, "the value is no whole number, or would be too large");
    lua_pushinteger(L, sum);
    if (end_ms == 0) return 1;
    lua_pushnumber(L, (lua_Number)(end_ms - now_ms) / 1000);
    return 2;
}

static const luaL_Reg lib[] = {
    {"get", f_get}, {"set", f_set}, {"delete", f_delete}, {"increment", f_increment}, {NULL, NULL}};

int api_open_shared(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
