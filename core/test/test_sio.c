/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.sio: packets of Socket.IO.
 *     local machine = sio.new{attachments_max = 2, depth_max = 10}
 *     machine:feed(message [, is_binary]) -> "more", "fault", or a table:
 *         {type =, namespace =, ack =, event =, arguments =, count =, auth =, binaries = {...}}
 *     sio.encode{type =, namespace =, ack =, binaries =, data =} -> payload of the frame
 *     sio.message{event =, attributes =, ack =, id =, namespace =} -> payloads of the frames of an event
 *     sio.arguments(event, attributes, is_spread [, id]) -> JSON
 */
#include "net/ws.h"
#include "socketio/sio.h"
#include "test/test.h"

#define MACHINE "core.test.sio"

typedef struct Machine {
    Sio sio;
    SioLimits limits;
} Machine;

static const char *const names[] = {"connect", "disconnect", "event", "ack", "connect_error", NULL};

static Str to_str(lua_State *L, int index) {
    size_t len = 0;
    const char *data = luaL_optlstring(L, index, "", &len);
    return str_make(data, len);
}

static Str field_str(lua_State *L, const char *name) {
    lua_getfield(L, 1, name);
    return to_str(L, -1); /* the table keeps it */
}

static lua_Integer field_integer(lua_State *L, const char *name, lua_Integer other) {
    lua_getfield(L, 1, name);
    return luaL_optinteger(L, -1, other);
}

static int f_new(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    SioLimits limits = {(uint32_t)field_integer(L, "attachments_max", 4),
                        (uint32_t)field_integer(L, "depth_max", 32)};
    Machine *machine = lua_newuserdatauv(L, sizeof *machine, 0);
    sio_init(&machine->sio);
    machine->limits = limits;
    luaL_setmetatable(L, MACHINE);
    return 1;
}

static void set_str(lua_State *L, const char *name, Str text) {
    if (text.data == NULL) return;
    lua_pushlstring(L, text.data, text.len);
    lua_setfield(L, -2, name);
}

static int push_packet(lua_State *L, const SioPacket *packet) {
    lua_newtable(L);
    lua_pushstring(L, names[packet->type]);
    lua_setfield(L, -2, "type");
    set_str(L, "namespace", packet->name_space);
    set_str(L, "event", packet->event);
    set_str(L, "arguments", packet->arguments);
    set_str(L, "auth", packet->auth);
    if (packet->ack != SIO_NO_ACK) {
        lua_pushinteger(L, packet->ack);
        lua_setfield(L, -2, "ack");
    }
    lua_pushinteger(L, packet->count);
    lua_setfield(L, -2, "count");
    lua_newtable(L);
    for (uint32_t i = 0; i < packet->binary_count; i++) {
        lua_pushlstring(L, packet->binaries[i].len ? packet->binaries[i].data : "",
                        packet->binaries[i].len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "binaries");
    return 1;
}

static int f_feed(lua_State *L) {
    Machine *machine = luaL_checkudata(L, 1, MACHINE);
    SioPacket packet;
    SioFed fed = sio_feed(&machine->sio, &machine->limits, lua_toboolean(L, 3), to_str(L, 2), &packet);
    if (fed == SIO_FED_PACKET) return push_packet(L, &packet);
    lua_pushstring(L, fed == SIO_FED_MORE ? "more" : "fault");
    return 1;
}

static int f_gc(lua_State *L) {
    sio_deinit(&((Machine *)luaL_checkudata(L, 1, MACHINE))->sio);
    return 0;
}

static int push_payloads(lua_State *L, Bytes *frames) {
    int count = 0;
    Str rest = bytes_str(frames);
    while (rest.len > 0) {
        WsOpcode opcode;
        Str payload = ws_split(&rest, &opcode);
        lua_pushlstring(L, payload.data, payload.len);
        count++;
    }
    bytes_release(frames);
    return count;
}

static int f_encode(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "type");
    SioFrame frame = {.type = (SioType)luaL_checkoption(L, -1, NULL, names)};
    frame.name_space = field_str(L, "namespace");
    frame.data = field_str(L, "data");
    frame.ack = field_integer(L, "ack", SIO_NO_ACK);
    frame.binary_count = (uint32_t)field_integer(L, "binaries", 0);
    return push_payloads(L, sio_encode(&frame));
}

static int f_message(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    MessageParts parts = {.event = field_str(L, "event"),
                          .attributes = field_str(L, "attributes"),
                          .ack = field_str(L, "ack"),
                          .id = field_str(L, "id")};
    return push_payloads(L, sio_encode_event(&parts, field_str(L, "namespace")));
}

static int f_arguments(lua_State *L) {
    MessageParts parts = {.event = to_str(L, 1), .attributes = to_str(L, 2), .id = to_str(L, 4)};
    Buf out = BUF_NONE;
    sio_add_arguments(&out, &parts, lua_toboolean(L, 3));
    lua_pushlstring(L, out.data, out.len);
    buf_deinit(&out);
    return 1;
}

static const luaL_Reg methods[] = {{"feed", f_feed}, {"__gc", f_gc}, {NULL, NULL}};

static const luaL_Reg lib[] = {{"new", f_new},
                               {"encode", f_encode},
                               {"message", f_message},
                               {"arguments", f_arguments},
                               {NULL, NULL}};

int test_open_sio(lua_State *L) {
    luaL_newmetatable(L, MACHINE);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, lib);
    return 1;
}
