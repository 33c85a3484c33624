/* SPDX-License-Identifier: Apache-2.0
 *
 * A RawSocket is held by its connection and by the tasks that run for it; its Lua proxy is anchored
 * while the connection lives, so a plugin need not keep it.
 */
#include "api/api_socket.h"

#include "api/api.h"
#include "api/lua_args.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/socket.h"
#include "net/ws.h"
#include "script/task.h"

static const char socket_type[] = "core.socket";

typedef struct RawSocket {
    Socket *socket; /* NULL after on_close */
    Api *api;
    int proxy; /* registry references */
    int handler;
    unsigned pins; /* tasks that run for it */
} RawSocket;

static void free_if_done(RawSocket *raw) {
    if (raw->socket == NULL && raw->pins == 0) mem_free(raw);
}

static void on_task_end(void *context) {
    RawSocket *raw = context;
    raw->pins--;
    if (raw->socket != NULL) socket_resume(raw->socket);
    free_if_done(raw);
}

/* stack: -> function, handler, proxy */
static lua_State *push_callback(RawSocket *raw, int function) {
    lua_State *L = raw->api->script->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, raw->handler);
    lua_rawgeti(L, LUA_REGISTRYINDEX, raw->proxy);
    raw->pins++;
    return L;
}

static void on_message(void *owner, bool is_binary, Str payload) {
    RawSocket *raw = owner;
    socket_hold(raw->socket);
    lua_State *L = push_callback(raw, raw->api->on_socket_message);
    push_str(L, payload);
    lua_pushboolean(L, is_binary);
    task_start(raw->api->script, "socket message", 4, on_task_end, raw);
}

static void on_close(void *owner, uint16_t code, Str reason) {
    RawSocket *raw = owner;
    raw->socket = NULL;
    lua_State *L = push_callback(raw, raw->api->on_socket_close);
    RawSocket **proxy = lua_touserdata(L, -1);
    *proxy = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, raw->proxy);
    luaL_unref(L, LUA_REGISTRYINDEX, raw->handler);
    lua_pushinteger(L, code);
    push_str(L, reason);
    task_start(raw->api->script, "socket close", 4, on_task_end, raw);
}

static void on_timer(void *owner) {
    (void)owner; /* a raw socket sets no deadline of its own */
}

static const SocketHandler handler_class = {
    .on_message = on_message, .on_timer = on_timer, .on_close = on_close};

int push_opened_socket(lua_State *L, RequestBox *box, int handler, Str protocol) {
    RawSocket *raw = mem_zalloc(sizeof *raw);
    int err = socket_open(box->request, protocol, &handler_class, raw, &raw->socket);
    if (err != 0) {
        mem_free(raw);
        return push_failure(L, err, NULL);
    }
    raw->api = api_of(L);
    raw->pins = 1;
    socket_hold(raw->socket);
    box->on_end = on_task_end;
    box->opened = raw;
    lua_pushvalue(L, handler);
    raw->handler = luaL_ref(L, LUA_REGISTRYINDEX);
    RawSocket **proxy = lua_newuserdatauv(L, sizeof *proxy, 0);
    *proxy = raw;
    luaL_setmetatable(L, socket_type);
    lua_pushvalue(L, -1);
    raw->proxy = luaL_ref(L, LUA_REGISTRYINDEX);
    return 1;
}

static RawSocket *check_open(lua_State *L) {
    RawSocket *raw = *(RawSocket **)luaL_checkudata(L, 1, socket_type);
    return raw != NULL && raw->socket != NULL ? raw : NULL;
}

static int push_closed(lua_State *L) {
    return push_failure(L, ERR_CLOSED, "closed");
}

static int f_send(lua_State *L) {
    RawSocket *raw = check_open(L);
    Str data = check_str(L, 2);
    bool is_binary = lua_toboolean(L, 3);
    luaL_argcheck(L, is_binary || text_is_utf8(data), 2, "UTF-8, or bytes with binary = true");
    if (raw == NULL) return push_closed(L);
    Bytes *frame = ws_encode(is_binary ? WS_BINARY : WS_TEXT, data);
    if (!socket_send(raw->socket, frame)) return push_closed(L);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_close(lua_State *L) {
    RawSocket *raw = check_open(L);
    lua_Integer code = luaL_optinteger(L, 2, 1000);
    luaL_argcheck(L, code >= 1000 && code <= 4999 && ws_code_is_valid((uint16_t)code), 2,
                  "a close code that may be sent");
    if (raw == NULL) return push_closed(L);
    socket_close(raw->socket, (uint16_t)code, opt_str(L, 3));
    lua_pushboolean(L, 1);
    return 1;
}

static int f_remote(lua_State *L) {
    RawSocket *raw = check_open(L);
    if (raw == NULL) return push_closed(L);
    char remote[64];
    socket_remote(raw->socket, remote);
    lua_pushstring(L, remote);
    return 1;
}

static const luaL_Reg methods[] = {
    {"send", f_send}, {"close", f_close}, {"remote", f_remote}, {NULL, NULL}};

int api_open_socket(lua_State *L) {
    push_class(L, socket_type, methods);
    return 1;
}
