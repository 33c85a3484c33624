/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.ws: frames (ws), the opening handshake (handshake), and what it is made with (digest).
 *     local machine = ws.new{message_bytes_max = 1000, fragments_max = 10, pool_max = 4}
 *     machine:feed(bytes)  -> { {kind = "text", payload = "hi"}, {kind = "fault", code = 1002} }
 */
#include "data/digest.h"
#include "net/handshake.h"
#include "net/ws.h"
#include "test/test.h"

#define MACHINE "core.test.ws"

/* One Ws with a pool of its own. During feed the list of events lies at the index `events` of L. */
typedef struct Machine {
    WsPool pool;
    Ws ws;
    lua_State *L;
    int events;
    lua_Integer stop_after; /* calls ws_stop after so many frames; 0: never */
} Machine;

static Str check_str(lua_State *L, int index) {
    size_t len = 0;
    const char *data = luaL_checklstring(L, index, &len);
    return str_make(data, len);
}

static void push_str(lua_State *L, Str text) {
    lua_pushlstring(L, text.len ? text.data : "", text.len);
}

static void push_buf(lua_State *L, Buf *buf) {
    push_str(L, buf_str(buf));
    buf_deinit(buf);
}

static void add_event(Machine *machine, const char *kind, uint16_t code, const char *name, Str text) {
    lua_State *L = machine->L;
    lua_createtable(L, 0, 3);
    lua_pushstring(L, kind);
    lua_setfield(L, -2, "kind");
    if (code != 0) {
        lua_pushinteger(L, code);
        lua_setfield(L, -2, "code");
    }
    push_str(L, text);
    lua_setfield(L, -2, name);
    lua_rawseti(L, machine->events, luaL_len(L, machine->events) + 1);
}

static const char *kind_of(WsOpcode opcode) {
    switch (opcode) {
    case WS_TEXT: return "text";
    case WS_BINARY: return "binary";
    case WS_CLOSE: return "close";
    case WS_PING: return "ping";
    case WS_PONG: return "pong";
    }
    return "unknown";
}

static Machine *machine_of(Ws *ws) {
    return (Machine *)(void *)((char *)ws - offsetof(Machine, ws));
}

static void on_frame(Ws *ws, WsOpcode opcode, uint16_t code, Str payload) {
    Machine *machine = machine_of(ws);
    add_event(machine, kind_of(opcode), code, "payload", payload);
    if (luaL_len(machine->L, machine->events) == machine->stop_after) ws_stop(&machine->ws);
}

static void on_fault(Ws *ws, uint16_t code, const char *reason) {
    add_event(machine_of(ws), "fault", code, "reason", str_of(reason));
}

static lua_Integer opt_field(lua_State *L, int index, const char *name, lua_Integer other) {
    lua_getfield(L, index, name);
    lua_Integer value = luaL_optinteger(L, -1, other);
    lua_pop(L, 1);
    return value;
}

static int f_new(lua_State *L) {
    static const WsHandler handler = {on_frame, on_fault};
    luaL_checktype(L, 1, LUA_TTABLE);
    WsLimits limits = {
        .message_bytes_max = (uint64_t)opt_field(L, 1, "message_bytes_max", 1 << 20),
        .fragments_max = (uint32_t)opt_field(L, 1, "fragments_max", 1000),
        .pool_max = (uint32_t)opt_field(L, 1, "pool_max", 1),
    };
    lua_Integer stop_after = opt_field(L, 1, "stop_after", 0);
    Machine *machine = lua_newuserdatauv(L, sizeof *machine, 0);
    ws_pool_init(&machine->pool, &limits, &handler);
    ws_init(&machine->ws);
    machine->stop_after = stop_after;
    luaL_setmetatable(L, MACHINE);
    return 1;
}

static int f_feed(lua_State *L) {
    Machine *machine = luaL_checkudata(L, 1, MACHINE);
    Str bytes = check_str(L, 2);
    lua_newtable(L);
    machine->L = L;
    machine->events = lua_gettop(L);
    ws_feed(&machine->ws, &machine->pool, bytes);
    return 1;
}

/* Whether a context is attached, and how many wait in the pool. */
static int f_contexts(lua_State *L) {
    Machine *machine = luaL_checkudata(L, 1, MACHINE);
    lua_pushboolean(L, machine->ws.context != NULL);
    lua_pushinteger(L, machine->pool.free_count);
    return 2;
}

static int f_gc(lua_State *L) {
    Machine *machine = luaL_checkudata(L, 1, MACHINE);
    ws_deinit(&machine->ws);
    ws_pool_deinit(&machine->pool);
    return 0;
}

static int push_frame(lua_State *L, Bytes *frame) {
    push_str(L, bytes_str(frame));
    bytes_release(frame);
    return 1;
}

static int f_encode(lua_State *L) {
    return push_frame(L, ws_encode((WsOpcode)luaL_checkinteger(L, 1), check_str(L, 2)));
}

static int f_encode_close(lua_State *L) {
    return push_frame(L, ws_encode_close((uint16_t)luaL_checkinteger(L, 1), check_str(L, 2)));
}

static int f_header(lua_State *L) {
    char header[WS_HEADER_MAX];
    size_t payload_len = (size_t)luaL_checkinteger(L, 2);
    ws_write_header(header, (WsOpcode)luaL_checkinteger(L, 1), payload_len);
    push_str(L, str_make(header, ws_header_len(payload_len)));
    return 1;
}

static int f_code_is_valid(lua_State *L) {
    lua_pushboolean(L, ws_code_is_valid((uint16_t)luaL_checkinteger(L, 1)));
    return 1;
}

/* Fills the request from {method =, version_minor =, body =, headers = {{name, value}, ...}}; it
 * borrows the strings of the table. */
static void check_request(lua_State *L, int index, Request *request) {
    luaL_checktype(L, index, LUA_TTABLE);
    *request = (Request){.method = STR("GET")};
    request->version_minor = (uint8_t)opt_field(L, index, "version_minor", 1);
    if (lua_getfield(L, index, "method") == LUA_TSTRING) request->method = check_str(L, -1);
    if (lua_getfield(L, index, "body") == LUA_TSTRING) {
        Str body = check_str(L, -1);
        request->body = (Buf){.data = (char *)(uintptr_t)body.data, .len = body.len};
    }
    lua_getfield(L, index, "headers");
    size_t count = lua_rawlen(L, -1);
    request->headers = lua_newuserdatauv(L, (count + 1) * sizeof *request->headers, 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, -2, (lua_Integer)i + 1);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        request_add_header(request, check_str(L, -2), check_str(L, -1));
        lua_pop(L, 3);
    }
    arena_init(&request->arena);
}

/* true, or false, status, code, detail */
static int f_check(lua_State *L) {
    Request request;
    HttpFault fault = {0};
    check_request(L, 1, &request);
    bool is_valid = handshake_check(&request, &fault);
    arena_deinit(&request.arena);
    lua_pushboolean(L, is_valid);
    if (is_valid) return 1;
    lua_pushinteger(L, fault.status);
    lua_pushstring(L, fault.code);
    lua_pushstring(L, fault.detail);
    return 4;
}

static int f_answer(lua_State *L) {
    Request request;
    Buf out = BUF_NONE;
    Header cookie = {STR("Set-Cookie"), STR_NONE};
    Str protocol = str_of(luaL_optstring(L, 2, NULL));
    cookie.value = str_of(luaL_optstring(L, 3, NULL));
    check_request(L, 1, &request);
    handshake_encode(&request, protocol, &cookie, cookie.value.len ? 1 : 0, &out);
    arena_deinit(&request.arena);
    push_buf(L, &out);
    return 1;
}

static int f_offers(lua_State *L) {
    Request request;
    Str protocol = check_str(L, 2);
    check_request(L, 1, &request);
    lua_pushboolean(L, handshake_offers(&request, protocol));
    arena_deinit(&request.arena);
    return 1;
}

static int f_hmac_sha256(lua_State *L) {
    Buf out = BUF_NONE;
    digest_hmac_sha256(check_str(L, 1), check_str(L, 2), &out);
    push_str(L, buf_str(&out));
    buf_deinit(&out);
    return 1;
}

static int f_sha1_base64(lua_State *L) {
    Buf out = BUF_NONE;
    digest_sha1_base64(check_str(L, 1), &out);
    push_buf(L, &out);
    return 1;
}

static const luaL_Reg machine_methods[] = {
    {"feed", f_feed},
    {"contexts", f_contexts},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"new", f_new},
    {"encode", f_encode},
    {"encode_close", f_encode_close},
    {"header", f_header},
    {"code_is_valid", f_code_is_valid},
    {"handshake_check", f_check},
    {"handshake_answer", f_answer},
    {"handshake_offers", f_offers},
    {"sha1_base64", f_sha1_base64},
    {"hmac_sha256", f_hmac_sha256},
    {NULL, NULL},
};

int test_open_ws(lua_State *L) {
    if (digest_setup() != 0) return luaL_error(L, "no SHA-1");
    luaL_newmetatable(L, MACHINE);
    lua_pushcfunction(L, f_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, machine_methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
