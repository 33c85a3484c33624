/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's own counts, and the meters of plugins. A meter comes to Lua as a light userdata, which the
 * Lua half hands to nobody; it is good as long as the server runs.
 */
#include "api/api_metrics.h"

#include "api/api.h"
#include "api/lua_args.h"
#include "base/metrics.h"

static const char *const names[] = {
#define NAME(name, type, help) #name,
    METRIC_MAP(NAME)
#undef NAME
        NULL,
};

static const char *const kinds[] = {"counter", "gauge", "histogram", NULL};

static int f_encode(lua_State *L) {
    Meters *meters = api_of(L)->meters;
    Buf text = BUF_NONE;
    metrics_encode(&text);
    if (meters != NULL) meters_encode(meters, &text);
    push_str(L, buf_str(&text));
    buf_deinit(&text);
    return 1;
}

static int f_add(lua_State *L) {
    Metric metric = (Metric)luaL_checkoption(L, 1, NULL, names);
    metrics_add(metric, luaL_optinteger(L, 2, 1));
    return 0;
}

static size_t check_bounds(lua_State *L, int index, double bounds[METERS_BUCKETS_MAX]) {
    if (lua_isnoneornil(L, index)) return 0;
    luaL_checktype(L, index, LUA_TTABLE);
    size_t count = lua_rawlen(L, index);
    luaL_argcheck(L, count <= METERS_BUCKETS_MAX, index, "at most 32 bounds");
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        bounds[i] = luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    return count;
}

MeterFamily check_family(lua_State *L, int index, double bounds[METERS_BUCKETS_MAX]) {
    return (MeterFamily){
        .name = check_str(L, index),
        .help = check_str(L, index + 1),
        .kind = (MeterKind)luaL_checkoption(L, index + 2, NULL, kinds),
        .bounds = bounds,
        .bound_count = check_bounds(L, index + 3, bounds),
    };
}

static int f_declare(lua_State *L) {
    Meters *meters = api_of(L)->meters;
    double bounds[METERS_BUCKETS_MAX];
    MeterFamily family = check_family(L, 1, bounds);
    int err = meters != NULL ? meters_declare(meters, &family) : 0;
    if (err != 0) return push_failure(L, err, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_series(lua_State *L) {
    Meters *meters = api_of(L)->meters;
    if (meters == NULL) luaL_error(L, "this function needs a running server");
    Meter *meter;
    int err = meters_find(meters, check_str(L, 1), check_str(L, 2), &meter);
    if (err != 0) return push_failure(L, err, NULL);
    lua_pushlightuserdata(L, meter);
    return 1;
}

static Meter *check_meter(lua_State *L) {
    luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, 1);
}

static int f_increase(lua_State *L) {
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

static const luaL_Reg lib[] = {{"encode", f_encode},   {"add", f_add}, {"declare", f_declare},
                               {"series", f_series},   {"set", f_set}, {"increase", f_increase},
                               {"observe", f_observe}, {NULL, NULL}};

int api_open_metrics(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
