/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.shared: the dictionary of all workers, by hand and by many threads. Times are milliseconds.
 *     local one = shared.new{bytes_max=, entries_max=}
 *     one:get(key, now), :set(key, value, now, {expires=, expect=, guest=1}), :remove(key, now),
 *     :increment(key, amount, now, expires)           names of errors come as "LIMIT" ...
 *     shared.sizes() -> entries, bytes                as the metrics say
 *     shared.race{threads=, steps=, keys=} -> sum     of all keys, each thread incremented so often; every
 *                                                     thread also takes turns with a compare-and-set
 */
#include "data/shared.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/lua_args.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "test/test.h"

#define SHARED "core.test.shared"

enum { THREADS_MAX = 16, TEXT_MAX = 4096 };

static Shared *check_shared(lua_State *L) {
    return *(Shared **)luaL_checkudata(L, 1, SHARED);
}

static uint64_t opt_field(lua_State *L, int index, const char *name, uint64_t otherwise) {
    lua_Integer value = (lua_Integer)otherwise;
    if (lua_istable(L, index)) {
        if (lua_getfield(L, index, name) == LUA_TNUMBER) value = lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    return (uint64_t)value;
}

static int push_result(lua_State *L, int err) {
    if (err == 0) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, err_name(err));
    return 2;
}

static int f_new(lua_State *L) {
    SharedLimits limits = {opt_field(L, 1, "bytes_max", 1 << 20),
                           (uint32_t)opt_field(L, 1, "entries_max", 1000)};
    Shared **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = shared_new(&limits);
    luaL_setmetatable(L, SHARED);
    return 1;
}

static int f_get(lua_State *L) {
    char text[TEXT_MAX];
    size_t len = sizeof text;
    int err =
        shared_get(check_shared(L), check_str(L, 2), (uint64_t)luaL_checkinteger(L, 3), text, &len);
    if (err != 0) return push_result(L, err);
    push_str(L, str_make(text, len));
    return 1;
}

/* How many bytes a value needs when there is too little room for it. */
static int f_need(lua_State *L) {
    char text[1];
    size_t len = sizeof text;
    ensure(shared_get(check_shared(L), check_str(L, 2), 0, text, &len) == ERR_LIMIT);
    lua_pushinteger(L, (lua_Integer)len);
    return 1;
}

static int f_set(lua_State *L) {
    SharedChange change = {.key = check_str(L, 2), .value = check_str(L, 3)};
    change.expires_ms = opt_field(L, 5, "expires", 0);
    change.is_guest = opt_field(L, 5, "guest", 0) != 0;
    int type = lua_istable(L, 5) ? lua_getfield(L, 5, "expect") : LUA_TNIL;
    change.must_match = type != LUA_TNIL;
    change.must_exist = type == LUA_TSTRING;
    if (change.must_exist) change.expect = check_str(L, -1);
    return push_result(L, shared_set(check_shared(L), &change, (uint64_t)luaL_checkinteger(L, 4)));
}

static int f_remove(lua_State *L) {
    lua_pushboolean(L,
                    shared_remove(check_shared(L), check_str(L, 2), (uint64_t)luaL_checkinteger(L, 3)));
    return 1;
}

static int f_increment(lua_State *L) {
    SharedStep step = {check_str(L, 2), luaL_checkinteger(L, 3), (uint64_t)luaL_optinteger(L, 5, 0),
                       false};
    int64_t sum;
    uint64_t expires_ms;
    int err =
        shared_increment(check_shared(L), &step, (uint64_t)luaL_checkinteger(L, 4), &sum, &expires_ms);
    if (err != 0) return push_result(L, err);
    lua_pushinteger(L, sum);
    lua_pushinteger(L, (lua_Integer)expires_ms);
    return 2;
}

static int f_gc(lua_State *L) {
    shared_free(check_shared(L));
    return 0;
}

static int f_sizes(lua_State *L) {
    lua_pushinteger(L, metrics_sum(METRIC_shared_entries));
    lua_pushinteger(L, metrics_sum(METRIC_shared_bytes));
    return 2;
}

typedef struct Race {
    Shared *shared;
    unsigned steps;
    unsigned keys;
    bool has_failed;
} Race;

/* Adds one to the text of "turns" by reading and comparing, as often as it takes. */
static void take_turn(Race *race) {
    for (;;) {
        char before[32];
        char after[32];
        size_t len = sizeof before - 1;
        int err = shared_get(race->shared, STR("turns"), 0, before, &len);
        before[err == 0 ? len : 0] = '\0';
        long count = err == 0 ? strtol(before, NULL, 10) : 0;
        int after_len = snprintf(after, sizeof after, "%ld", count + 1);
        SharedChange change = {.key = STR("turns"),
                               .value = str_make(after, (size_t)after_len),
                               .must_match = true,
                               .must_exist = err == 0,
                               .expect = str_make(before, len)};
        if (shared_set(race->shared, &change, 0) == 0) return;
    }
}

static void *run_race(void *context) {
    Race *race = context;
    for (unsigned i = 0; i < race->steps; i++) {
        char name[16];
        int len = snprintf(name, sizeof name, "key-%u", i % race->keys);
        SharedStep step = {str_make(name, (size_t)len), 1, 0, false};
        int64_t sum;
        uint64_t expires_ms;
        if (shared_increment(race->shared, &step, 0, &sum, &expires_ms) != 0) race->has_failed = true;
        if (i % 8 == 0) take_turn(race);
    }
    return NULL;
}

static int64_t sum_of(Shared *shared, const char *key) {
    SharedStep step = {str_of(key), 0, 0, false};
    int64_t sum = -1;
    uint64_t expires_ms;
    return shared_increment(shared, &step, 0, &sum, &expires_ms) == 0 ? sum : -1;
}

static int f_race(lua_State *L) {
    unsigned threads = (unsigned)opt_field(L, 1, "threads", 2);
    luaL_argcheck(L, threads <= THREADS_MAX, 1, "at most 16 threads");
    SharedLimits limits = {1 << 20, 1000};
    Race races[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    Shared *shared = shared_new(&limits);
    unsigned keys = (unsigned)opt_field(L, 1, "keys", 1);
    for (unsigned i = 0; i < threads; i++) {
        races[i] = (Race){shared, (unsigned)opt_field(L, 1, "steps", 1), keys, false};
        ensure(pthread_create(&ids[i], NULL, run_race, &races[i]) == 0);
    }
    for (unsigned i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    int64_t sum = 0;
    for (unsigned i = 0; i < keys; i++) {
        char name[16];
        snprintf(name, sizeof name, "key-%u", i);
        sum += sum_of(shared, name);
    }
    for (unsigned i = 0; i < threads; i++) sum = races[i].has_failed ? -1 : sum;
    lua_pushinteger(L, sum);
    lua_pushinteger(L, sum_of(shared, "turns"));
    shared_free(shared);
    return 2;
}

static const luaL_Reg functions[] = {
    {"new", f_new}, {"sizes", f_sizes}, {"race", f_race}, {NULL, NULL}};

static const luaL_Reg methods[] = {{"get", f_get},       {"need", f_need},           {"set", f_set},
                                   {"remove", f_remove}, {"increment", f_increment}, {"__gc", f_gc},
                                   {NULL, NULL}};

int test_open_shared(lua_State *L) {
    push_class(L, SHARED, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
