/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.eio: packets of Engine.IO.
 *     eio.parse("4hello")            -> "message", "hello"; nil when it is no packet
 *     eio.read(body)                 -> { {type =, data =, binary =}, ... }, "ok" or "invalid"
 *     eio.encode("message", data)    -> a WebSocket frame
 *     eio.payload{frame, frame ...}  -> a polling body
 *     eio.handshake(sid, can_upgrade, interval, timeout, max) -> JSON
 */
#include "socketio/eio.h"
#include "test/test.h"

static const char *const names[] = {"open",    "close",   "ping", "pong",
                                    "message", "upgrade", "noop", NULL};

static Str check_str(lua_State *L, int index) {
    size_t len = 0;
    const char *data = luaL_checklstring(L, index, &len);
    return str_make(data, len);
}

static void push_str(lua_State *L, Str text) {
    lua_pushlstring(L, text.len ? text.data : "", text.len);
}

static int f_parse(lua_State *L) {
    EioPacket packet;
    if (!eio_parse(check_str(L, 1), &packet)) return 0;
    lua_pushstring(L, names[packet.type]);
    push_str(L, packet.data);
    return 2;
}

static int f_read(lua_State *L) {
    EioWalk walk = eio_walk(check_str(L, 1));
    EioPacket packet;
    int err = 0;
    lua_newtable(L);
    while (eio_next(&walk, &packet, &err)) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, names[packet.type]);
        lua_setfield(L, -2, "type");
        push_str(L, packet.data);
        lua_setfield(L, -2, "data");
        lua_pushboolean(L, packet.is_binary);
        lua_setfield(L, -2, "binary");
        lua_rawseti(L, 2, luaL_len(L, 2) + 1);
    }
    eio_end(&walk);
    lua_pushstring(L, err == 0 ? "ok" : "invalid");
    return 2;
}

static int f_encode(lua_State *L) {
    Bytes *frame = eio_encode((EioType)luaL_checkoption(L, 1, NULL, names), check_str(L, 2));
    push_str(L, bytes_str(frame));
    bytes_release(frame);
    return 1;
}

static int f_payload(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    Buf body = BUF_NONE;
    for (lua_Integer i = 1; i <= luaL_len(L, 1); i++) {
        lua_rawgeti(L, 1, i);
        Bytes *frame = bytes_copy(check_str(L, -1));
        eio_add_frames(&body, frame);
        bytes_release(frame);
        lua_pop(L, 1);
    }
    push_str(L, buf_str(&body));
    buf_deinit(&body);
    return 1;
}

static int f_handshake(lua_State *L) {
    EioHandshake handshake = {
        .sid = check_str(L, 1),
        .can_upgrade = lua_toboolean(L, 2),
        .ping_interval_ms = (uint32_t)luaL_checkinteger(L, 3),
        .ping_timeout_ms = (uint32_t)luaL_checkinteger(L, 4),
        .payload_bytes_max = (uint32_t)luaL_checkinteger(L, 5),
    };
    Buf out = BUF_NONE;
    eio_add_handshake(&out, &handshake);
    push_str(L, buf_str(&out));
    buf_deinit(&out);
    return 1;
}

static const luaL_Reg lib[] = {{"parse", f_parse},     {"read", f_read},           {"encode", f_encode},
                               {"payload", f_payload}, {"handshake", f_handshake}, {NULL, NULL}};

int test_open_eio(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
