/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.sse: sse.encode(event as a JSON string, raw attributes [, id]) -> the frame; sse.beat().
 */
#include "net/sse.h"
#include "test/test.h"

static Str opt_text(lua_State *L, int index) {
    size_t len = 0;
    const char *data = luaL_optlstring(L, index, "", &len);
    return str_make(data, len);
}

static int push_frame(lua_State *L, Bytes *frame) {
    lua_pushlstring(L, frame->data, frame->len);
    bytes_release(frame);
    return 1;
}

static int f_encode(lua_State *L) {
    MessageParts parts = {.event = opt_text(L, 1), .attributes = opt_text(L, 2), .id = opt_text(L, 3)};
    return push_frame(L, sse_encode(&parts, NULL));
}

static int f_beat(lua_State *L) {
    return push_frame(L, sse_beat());
}

static const luaL_Reg lib[] = {{"encode", f_encode}, {"beat", f_beat}, {NULL, NULL}};

int test_open_sse(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
