/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"
#include "data/digest.h"
#include "data/secret.h"

enum { RANDOM_MAX = 1024 };

static int f_equal(lua_State *L) {
    lua_pushboolean(L, secret_equal(check_str(L, 1), check_str(L, 2)));
    return 1;
}

static int f_random(lua_State *L) {
    lua_Integer bytes = luaL_checkinteger(L, 1);
    luaL_argcheck(L, bytes > 0 && bytes <= RANDOM_MAX, 1, "from 1 to 1024 bytes");
    Buf text = BUF_NONE;
    secret_random_text((size_t)bytes, &text);
    push_str(L, buf_str(&text));
    buf_deinit(&text);
    return 1;
}

static int f_hash(lua_State *L) {
    Str text = check_str(L, 1);
    Buf digest = BUF_NONE;
    secret_hash(text, &digest);
    push_str(L, buf_str(&digest));
    buf_deinit(&digest);
    return 1;
}

static int f_hmac(lua_State *L) {
    Str key = check_str(L, 1);
    Str text = check_str(L, 2);
    Buf mac = BUF_NONE;
    digest_hmac_sha256(key, text, &mac);
    push_str(L, buf_str(&mac));
    buf_deinit(&mac);
    return 1;
}

static const luaL_Reg lib[] = {
    {"equal", f_equal}, {"random", f_random}, {"hash", f_hash}, {"hmac", f_hmac}, {NULL, NULL}};

int api_open_secret(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
