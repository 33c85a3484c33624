/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"
#include "base/metrics.h"

static const char *const names[] = {
#define NAME(name, type, help) #name,
    METRIC_MAP(NAME)
#undef NAME
        NULL,
};

static int f_encode(lua_State *L) {
    Buf text = BUF_NONE;
    metrics_encode(&text);
    push_str(L, buf_str(&text));
    buf_deinit(&text);
    return 1;
}

static int f_add(lua_State *L) {
    Metric metric = (Metric)luaL_checkoption(L, 1, NULL, names);
    metrics_add(metric, luaL_optinteger(L, 2, 1));
    return 0;
}

static const luaL_Reg lib[] = {{"encode", f_encode}, {"add", f_add}, {NULL, NULL}};

int api_open_metrics(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
