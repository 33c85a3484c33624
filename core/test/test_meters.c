/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.meters: the counts of plugins, by hand and by many threads.
 *     local set = meters.new(series_max)
 *     set:declare(name, help, kind, bounds), set:find(name, labels) -> meter; nil, message, code
 *     meters.increase(meter, n), meters.set(meter, n), meters.observe(meter, n): those of core.metrics
 *     set:text()
 *     set:race(threads, steps)      each finds n{x="1"} and h{} so often, adds 1 and observes 2
 */
#include "base/meters.h"

#include <pthread.h>

#include "api/api.h"
#include "api/api_metrics.h"
#include "api/lua_args.h"
#include "base/ensure.h"
#include "test/test.h"

#define METERS "core.test.meters"

enum { THREADS_MAX = 16 };

static Meters *check_meters(lua_State *L) {
    return *(Meters **)luaL_checkudata(L, 1, METERS);
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
    MeterFamily family = check_family(L, 2, bounds);
    int err = meters_declare(check_meters(L), &family);
    if (err != 0) return push_failure(L, err, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_find(lua_State *L) {
    Meter *meter;
    int err = meters_find(check_meters(L), check_str(L, 2), check_str(L, 3), &meter);
    if (err != 0) return push_failure(L, err, NULL);
    lua_pushlightuserdata(L, meter);
    return 1;
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

static const luaL_Reg methods[] = {{"declare", f_declare}, {"find", f_find}, {"text", f_text},
                                   {"race", f_race},       {"__gc", f_gc},   {NULL, NULL}};

int test_open_meters(lua_State *L) {
    push_class(L, METERS, methods);
    lua_pop(L, 1);
    api_open_metrics(L);
    lua_pushcfunction(L, f_new);
    lua_setfield(L, -2, "new");
    return 1;
}
