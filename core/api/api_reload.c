/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ask.h"
#include "api/lua_args.h"

static int push_result(lua_State *L, void *data) {
    const Op *op = data;
    if (op->error != 0 && op->value != NULL) {
        lua_pushnil(L);
        push_str(L, bytes_str(op->value));
        lua_pushliteral(L, "INVALID");
        return 3;
    }
    if (op->error != 0) return push_failure(L, op->error, NULL);
    lua_pushinteger(L, (lua_Integer)op->generation);
    return 1;
}

/* stack: dry */
static int f_run(lua_State *L) {
    check_running(L);
    bool is_dry = lua_toboolean(L, 1);
    task_check(L);
    Op *op = op_new(OP_RELOAD);
    op->is_dry = is_dry;
    return ask_reload(L, op, push_result);
}

static const luaL_Reg lib[] = {{"run", f_run}, {NULL, NULL}};

int api_open_reload(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
