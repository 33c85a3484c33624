/* SPDX-License-Identifier: Apache-2.0
 *
 * A RawSocket is held by its connection and by the tasks that run for it; its Lua proxy is anchored
 * while the connection lives, so a plugin need not keep it. Proxies lie in a table with weak values in each
 * state, so that those of older states are found at the end too.
 *
 * A reload moves it, when none of its handlers runs, to the route of the same plugin and path in the current
 * state. When there is none it closes, and its state stays until it has closed.
 */
#include "api/api_socket.h"

#include "api/lua_args.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/ws.h"
#include "script/task.h"
#include "socketio/eio.h"
#include "socketio/engines.h"

static const char socket_type[] = "core.socket";
static const char proxies_key = 'p'; /* its address is the registry key */

typedef struct RawSocket {
    List link;      /* in states->sockets, until on_close */
    Socket *socket; /* this or `engine`; both are NULL after on_close */
    Engine *engine;
    Api *api;  /* whose handlers it has */
    int proxy; /* registry references */
    int handler;
    unsigned pins; /* tasks that run for it */
    bool is_left;  /* its route is gone: counted in api->asks until it is closed */
    Address remote;
} RawSocket;

static bool is_over(const RawSocket *raw) {
    return raw->socket == NULL && raw->engine == NULL;
}

static void hold(RawSocket *raw) {
    if (raw->socket != NULL) socket_hold(raw->socket);
    if (raw->engine != NULL) engine_hold(raw->engine);
}

static void close_raw(RawSocket *raw, uint16_t code, Str reason) {
    if (raw->socket != NULL) socket_close(raw->socket, code, reason);
    if (raw->engine != NULL) engine_close(raw->engine, code, reason);
}

static RawSocket **new_proxy(lua_State *L, RawSocket *raw) {
    RawSocket **proxy = lua_newuserdatauv(L, sizeof *proxy, 0);
    *proxy = raw;
    luaL_setmetatable(L, socket_type);
    return proxy;
}

static void push_proxy(lua_State *L, RawSocket *raw) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &proxies_key);
    if (lua_rawgetp(L, -1, raw) == LUA_TNIL) {
        lua_pop(L, 1);
        new_proxy(L, raw);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, raw);
    }
    lua_remove(L, -2);
}

static void anchor(RawSocket *raw) {
    lua_State *L = raw->api->script->L;
    push_proxy(L, raw);
    raw->proxy = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void unanchor(RawSocket *raw) {
    lua_State *L = raw->api->script->L;
    luaL_unref(L, LUA_REGISTRYINDEX, raw->proxy);
    luaL_unref(L, LUA_REGISTRYINDEX, raw->handler);
}

/* The proxy of a state, if there is one, knows the socket no more. */
static void detach(lua_State *L, const RawSocket *raw) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &proxies_key);
    if (lua_rawgetp(L, -1, raw) != LUA_TNIL) {
        RawSocket **proxy = lua_touserdata(L, -1);
        *proxy = NULL;
        lua_pushnil(L);
        lua_rawsetp(L, -3, raw);
    }
    lua_pop(L, 2);
}

/* Pushes the handler of the same plugin and path in the current state; false, and nothing, when there is none. */
static bool push_handler_anew(const RawSocket *raw) {
    lua_State *from = raw->api->script->L;
    const Api *next = raw->api->states->current;
    lua_State *L = next->script->L;
    lua_rawgeti(from, LUA_REGISTRYINDEX, raw->handler);
    lua_getfield(from, -1, "owner");
    lua_getfield(from, -2, "label");
    lua_rawgeti(L, LUA_REGISTRYINDEX, next->on_socket_move);
    lua_pushstring(L, lua_tostring(from, -2));
    lua_pushstring(L, lua_tostring(from, -1));
    lua_pop(from, 3);
    if (script_call(next->script, 2, 1) == 0 && lua_istable(L, -1)) return true;
    lua_pop(L, 1);
    return false;
}

static void leave_behind(RawSocket *raw) {
    raw->is_left = true;
    raw->api->asks++;
    close_raw(raw, SOCKET_CODE_RESTART, STR("its route is gone"));
}

static void move(RawSocket *raw) {
    if (raw->pins > 0 || raw->is_left || raw->api == raw->api->states->current) return;
    if (!push_handler_anew(raw)) {
        leave_behind(raw);
        return;
    }
    unanchor(raw);
    raw->api = raw->api->states->current;
    raw->handler = luaL_ref(raw->api->script->L, LUA_REGISTRYINDEX);
    anchor(raw);
}

void move_sockets(States *states) {
    List *next;
    for (List *at = states->sockets.next; at != &states->sockets; at = next) {
        next = at->next;
        move(list_entry(at, RawSocket, link));
    }
}

bool carry_socket(lua_State *from, int index, lua_State *to) {
    RawSocket **proxy = luaL_testudata(from, index, socket_type);
    if (proxy == NULL) return false;
    if (*proxy != NULL) {
        push_proxy(to, *proxy);
    } else {
        new_proxy(to, NULL);
    }
    return true;
}

static void free_if_done(RawSocket *raw) {
    if (is_over(raw) && raw->pins == 0) mem_free(raw);
}

static void on_task_end(void *context) {
    RawSocket *raw = context;
    raw->pins--;
    if (!is_over(raw)) move(raw);
    if (raw->socket != NULL) socket_resume(raw->socket);
    if (raw->engine != NULL) engine_resume(raw->engine);
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
    hold(raw);
    lua_State *L = push_callback(raw, raw->api->on_socket_message);
    push_str(L, payload);
    lua_pushboolean(L, is_binary);
    task_start(raw->api->script, "socket message", 4, on_task_end, raw);
}

static void on_close(void *owner, uint16_t code, Str reason) {
    RawSocket *raw = owner;
    raw->socket = NULL;
    raw->engine = NULL;
    list_remove(&raw->link);
    if (raw->is_left) raw->api->asks--;
    lua_State *L = push_callback(raw, raw->api->on_socket_close);
    const States *states = raw->api->states;
    for (const List *at = states->all.next; at != &states->all; at = at->next) {
        detach(list_entry(at, const Api, link)->script->L, raw);
    }
    unanchor(raw);
    lua_pushinteger(L, code);
    push_str(L, reason);
    task_start(raw->api->script, "socket close", 4, on_task_end, raw);
}

static void on_timer(void *owner) {
    (void)owner; /* a raw socket sets no deadline of its own */
}

static const SocketHandler handler_class = {
    .on_message = on_message, .on_timer = on_timer, .on_close = on_close};

/* stack: ... -> proxy */
static int push_opened(lua_State *L, RequestBox *box, RawSocket *raw, int handler) {
    raw->api = api_of(L);
    raw->pins = 1;
    hold(raw);
    box->on_end = on_task_end;
    box->opened = raw;
    lua_pushvalue(L, handler);
    raw->handler = luaL_ref(L, LUA_REGISTRYINDEX);
    list_add(&raw->api->states->sockets, &raw->link);
    anchor(raw);
    push_proxy(L, raw);
    return 1;
}

int push_opened_socket(lua_State *L, RequestBox *box, int handler, Str protocol) {
    RawSocket *raw = mem_zalloc(sizeof *raw);
    raw->remote = box->request->remote;
    int err = socket_open(box->request, protocol, &handler_class, raw, &raw->socket);
    if (err == 0) return push_opened(L, box, raw, handler);
    mem_free(raw);
    return push_failure(L, err, NULL);
}

int push_opened_engine_socket(lua_State *L, RequestBox *box, int handler) {
    RawSocket *raw = mem_zalloc(sizeof *raw);
    raw->remote = box->request->remote;
    Engines *engines = api_of(L)->engines;
    int err = engine_open_socket(engines, box->request, &handler_class, raw, &raw->engine);
    if (err == 0) return push_opened(L, box, raw, handler);
    mem_free(raw);
    return push_failure(L, err, NULL);
}

int push_opened_engine(lua_State *L, RequestBox *box, int handler) {
    RawSocket *raw = mem_zalloc(sizeof *raw);
    raw->remote = box->request->remote;
    Buf answer = BUF_NONE;
    raw->engine = engine_open(api_of(L)->engines, &handler_class, raw, &answer);
    push_opened(L, box, raw, handler);
    push_str(L, buf_str(&answer));
    buf_deinit(&answer);
    return 2;
}

static RawSocket *check_open(lua_State *L) {
    RawSocket *raw = *(RawSocket **)luaL_checkudata(L, 1, socket_type);
    return raw != NULL && !is_over(raw) ? raw : NULL;
}

static int push_closed(lua_State *L) {
    return push_failure(L, ERR_CLOSED, "closed");
}

static bool send_message(const RawSocket *raw, bool is_binary, Str data) {
    if (raw->engine != NULL && !is_binary)
        return engine_send(raw->engine, eio_encode(EIO_MESSAGE, data));
    Bytes *frame = ws_encode(is_binary ? WS_BINARY : WS_TEXT, data);
    return raw->engine != NULL ? engine_send(raw->engine, frame) : socket_send(raw->socket, frame);
}

static int f_send(lua_State *L) {
    RawSocket *raw = check_open(L);
    Str data = check_str(L, 2);
    bool is_binary = lua_toboolean(L, 3);
    luaL_argcheck(L, is_binary || text_is_utf8(data), 2, "UTF-8, or bytes with binary = true");
    if (raw == NULL) return push_closed(L);
    if (!send_message(raw, is_binary, data)) return push_closed(L);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_close(lua_State *L) {
    RawSocket *raw = check_open(L);
    lua_Integer code = luaL_optinteger(L, 2, 1000);
    luaL_argcheck(L, code >= 1000 && code <= 4999 && ws_code_is_valid((uint16_t)code), 2,
                  "a close code that may be sent");
    if (raw == NULL) return push_closed(L);
    close_raw(raw, (uint16_t)code, opt_str(L, 3));
    lua_pushboolean(L, 1);
    return 1;
}

static int f_remote(lua_State *L) {
    RawSocket *raw = check_open(L);
    if (raw == NULL) return push_closed(L);
    char remote[ADDRESS_TEXT_MAX];
    address_format(raw->remote, remote);
    lua_pushstring(L, remote);
    return 1;
}

static const luaL_Reg methods[] = {
    {"send", f_send}, {"close", f_close}, {"remote", f_remote}, {NULL, NULL}};

int api_open_socket(lua_State *L) {
    push_weak_table(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &proxies_key);
    push_class(L, socket_type, methods);
    return 1;
}
