/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.base64: encode(form, bytes), decode(form, text) -> bytes, or nil and the name of the error; the form is
 * "padded" or "url".
 */
#include "base/base64.h"
#include "test/test.h"

static Base64 check_form(lua_State *L) {
    static const char *const forms[] = {[BASE64_PADDED] = "padded", [BASE64_URL] = "url", NULL};
    return (Base64)luaL_checkoption(L, 1, NULL, forms);
}

static Str check_text(lua_State *L) {
    size_t len;
    const char *data = luaL_checklstring(L, 2, &len);
    return str_make(data, len);
}

static int push_buf(lua_State *L, Buf *buf) {
    lua_pushlstring(L, buf->len > 0 ? buf->data : "", buf->len);
    buf_deinit(buf);
    return 1;
}

static int f_encode(lua_State *L) {
    Buf out = BUF_NONE;
    base64_add(check_form(L), check_text(L), &out);
    return push_buf(L, &out);
}

static int f_decode(lua_State *L) {
    Buf out = BUF_NONE;
    int err = base64_decode(check_form(L), check_text(L), &out);
    if (err == 0) return push_buf(L, &out);
    lua_pushnil(L);
    lua_pushstring(L, err_name(err));
    lua_pushinteger(L, (lua_Integer)out.len);
    buf_deinit(&out);
    return 3;
}

static const luaL_Reg lib[] = {{"encode", f_encode}, {"decode", f_decode}, {NULL, NULL}};

int test_open_base64(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
