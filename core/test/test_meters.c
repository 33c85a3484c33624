/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.meters: the counts of plugins, by hand and by many threads.
 *     local set = meters.new(series_max)
 *     set:declare(name, help, kind, bounds), set:find(name, labels) -> meter; nil and a code when it cannot
 *     meters.add(meter, n), meters.set(meter, n), meters.observe(meter, n), set:text()
 *     set:race(threads, steps)      each finds n{x="1"} and h{} so often, adds 1 and observes 2
 */
#include "base/meters.h"

#include <pthread.h>

#include "api/lua_args.h"
#include "base/ensure.h"
#include "test/test.h"

#define METERS "core.test.meters"

enum { THREADS_MAX = 16 };

static const char *const kinds[] = {"counter", "gauge", "histogram", NULL};

static Meters *check_meters(lua_State *L) {
    return *(Meters **)luaL_checkudata(L, 1, METERS);
}

static Meter *check_meter(lua_State *L) {
    luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, 1);
}

static int push_error(lua_State *L, int err) {
    lua_pushnil(L);
    lua_pushstring(L, err_name(err));
    return 2;
}

static int f_new(lua_State *L) {
    uint32_t max = (uint32_t)luaL_checkinteger(L, 1);
    Meters **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = meters_new(max);
    luaL_setmetatable(L, METERS);
    return 1;
}

static int f_declare(lua_State *L) {
    double bounds[METERS_BUCKETS_MAX];
    size_t count = lua_istable(L, 5) ? lua_rawlen(L, 5) : 0;
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 5, (lua_Integer)i + 1);
        bounds[i] = luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    MeterFamily family = {check_str(L, 2), check_str(L, 3),
                          (MeterKind)luaL_checkoption(L, 4, NULL, kinds), bounds, count};
    int err = meters_declare(check_meters(L), &family);
    if (err != 0) return push_error(L, err);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_find(lua_State *L) {
    Meter *meter;
    int err = meters_find(check_meters(L), check_str(L, 2), check_str(L, 3), &meter);
    if (err != 0) return push_error(L, err);
    lua_pushlightuserdata(L, meter);
    return 1;
}

static int f_add(lua_State *L) {
    meters_add(check_meter(L), luaL_checknumber(L, 2));
    return 0;
}

static int f_set(lua_State *L) {
    meters_set(check_meter(L), luaL_checknumber(L, 2));
    return 0;
}

static int f_observe(lua_State *L) {
    meters_observe(check_meter(L), luaL_checknumber(L, 2));
    return 0;
}

static int f_text(lua_State *L) {
    Buf text = BUF_NONE;
    meters_encode(check_meters(L), &text);
    push_str(L, buf_str(&text));
    buf_deinit(&text);
    return 1;
}

typedef struct Runner {
    Meters *meters;
    lua_Integer steps;
    pthread_t thread;
} Runner;

static void *run(void *context) {
    Runner *runner = context;
    for (lua_Integer i = 0; i < runner->steps; i++) {
        Meter *counter;
        Meter *histogram;
        ensure(meters_find(runner->meters, STR("n"), STR("x=\"1\""), &counter) == 0);
        ensure(meters_find(runner->meters, STR("h"), STR_NONE, &histogram) == 0);
        meters_add(counter, 1);
        meters_observe(histogram, 2);
    }
    return NULL;
}

static int f_race(lua_State *L) {
    Runner runners[THREADS_MAX];
    lua_Integer threads = luaL_checkinteger(L, 2);
    luaL_argcheck(L, threads <= THREADS_MAX, 2, "at most 16");
    for (lua_Integer i = 0; i < threads; i++) {
        runners[i] = (Runner){.meters = check_meters(L), .steps = luaL_checkinteger(L, 3)};
        ensure(pthread_create(&runners[i].thread, NULL, run, &runners[i]) == 0);
    }
    for (lua_Integer i = 0; i < threads; i++) pthread_join(runners[i].thread, NULL);
    return 0;
}

static int f_gc(lua_State *L) {
    meters_free(check_meters(L));
    return 0;
}

static const luaL_Reg functions[] = {
    {"new", f_new}, {"add", f_add}, {"set", f_set}, {"observe", f_observe}, {NULL, NULL}};

static const luaL_Reg methods[] = {{"declare", f_declare}, {"find", f_find}, {"text", f_text},
                                   {"race", f_race},       {"__gc", f_gc},   {NULL, NULL}};

int test_open_meters(lua_State *L) {
    push_class(L, METERS, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
