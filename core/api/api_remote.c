/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"
#include "net/remote.h"

enum { TIMEOUT_MAX_S = 3600 };

static int push_answer(lua_State *L, const RemoteRequest *request) {
    Buf body = BUF_NONE;
    int status = 0;
    int err = remote_ask(request, &status, &body);
    if (err == 0) {
        lua_pushinteger(L, status);
        push_str(L, buf_str(&body));
    }
    buf_deinit(&body);
    return err == 0 ? 2 : push_failure(L, err, NULL);
}

/* stack: host, port, method, path, key, timeout */
static int f_ask(lua_State *L) {
    if (api_of(L)->bus != NULL)
        return luaL_error(L, "core.remote blocks: it is for command line tools");
    lua_Integer port = luaL_checkinteger(L, 2);
    lua_Integer timeout_s = luaL_checkinteger(L, 6);
    luaL_argcheck(L, port > 0 && port <= UINT16_MAX, 2, "a port");
    luaL_argcheck(L, timeout_s > 0 && timeout_s <= TIMEOUT_MAX_S, 6, "seconds, from 1 to 3600");
    RemoteRequest request = {
        .host = luaL_checkstring(L, 1),
        .port = (uint16_t)port,
        .method = check_str(L, 3),
        .path = check_str(L, 4),
        .key = check_str(L, 5),
        .timeout_s = (uint32_t)timeout_s,
    };
    return push_answer(L, &request);
}

static const luaL_Reg lib[] = {{"ask", f_ask}, {NULL, NULL}};

int api_open_remote(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
