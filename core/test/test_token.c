/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.token, with the functions of secret as core.test.token.secret.
 *     local policy = token.policy{algorithm = "HS256", secret = "...", audience = "chat", leeway = 5}
 *     policy:verify(text, now)  -> {user =, claims =, expires =}, or nil, "EXPIRED", reason
 *     policy:make(claims)       -> text, or nil, "UNAVAILABLE"
 */
#include "data/token.h"

#include "api/lua_args.h"
#include "data/secret.h"
#include "test/test.h"

#define POLICY "core.test.token"

static int push_error(lua_State *L, int err) {
    lua_pushnil(L);
    lua_pushstring(L, err_name(err));
    return 2;
}

static int f_policy(lua_State *L) {
    lua_getfield(L, 1, "leeway");
    TokenSettings settings = {
        .algorithm = opt_field_str(L, 1, "algorithm"),
        .secret = opt_field_str(L, 1, "secret"),
        .public_key = opt_field_str(L, 1, "public_key"),
        .private_key = opt_field_str(L, 1, "private_key"),
        .issuer = opt_field_str(L, 1, "issuer"),
        .audience = opt_field_str(L, 1, "audience"),
        .leeway_s = luaL_optinteger(L, -1, 0),
    };
    TokenPolicy **policy = lua_newuserdatauv(L, sizeof(TokenPolicy *), 0);
    *policy = NULL;
    luaL_setmetatable(L, POLICY);
    int err = token_policy_new(&settings, policy);
    return err ? push_error(L, err) : 1;
}

static TokenPolicy *check_policy(lua_State *L) {
    return *(TokenPolicy **)luaL_checkudata(L, 1, POLICY);
}

static int f_gc(lua_State *L) {
    token_policy_free(check_policy(L));
    return 0;
}

/* The token lies in memory of exactly its length, where a sanitizer sees a read beyond it. */
static int f_verify(lua_State *L) {
    Str text = check_str(L, 2);
    char *copy = lua_newuserdatauv(L, text.len, 0);
    memcpy(copy, text.data, text.len);
    Token token;
    const char *reason;
    int err = token_verify(check_policy(L), str_make(copy, text.len), luaL_checkinteger(L, 3), &token,
                           &reason);
    if (err != 0) {
        push_error(L, err);
        lua_pushstring(L, reason);
        return 3;
    }
    lua_newtable(L);
    set_field_str(L, "user", bytes_str(token.user));
    set_field_str(L, "claims", bytes_str(token.claims));
    set_field_integer(L, "expires", token.expires_s);
    token_deinit(&token);
    return 1;
}

static int f_make(lua_State *L) {
    Bytes *text;
    int err = token_make(check_policy(L), check_str(L, 2), &text);
    if (err != 0) return push_error(L, err);
    push_str(L, bytes_str(text));
    bytes_release(text);
    return 1;
}

static int f_equal(lua_State *L) {
    lua_pushboolean(L, secret_equal(check_str(L, 1), check_str(L, 2)));
    return 1;
}

static int push_buf(lua_State *L, Buf *buf) {
    push_str(L, buf_str(buf));
    buf_deinit(buf);
    return 1;
}

static int f_random_text(lua_State *L) {
    Buf out = BUF_NONE;
    secret_random_text((size_t)luaL_checkinteger(L, 1), &out);
    return push_buf(L, &out);
}

static int f_random(lua_State *L) {
    char bytes[512];
    lua_Integer len = luaL_checkinteger(L, 1);
    luaL_argcheck(L, len >= 0 && (size_t)len <= sizeof bytes, 1, "a number of bytes");
    secret_random(bytes, (size_t)len);
    lua_pushlstring(L, bytes, (size_t)len);
    return 1;
}

static int f_random_number(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)secret_random_number());
    return 1;
}

static const luaL_Reg methods[] = {
    {"verify", f_verify}, {"make", f_make}, {"__gc", f_gc}, {NULL, NULL}};

static const luaL_Reg secret_functions[] = {
    {"equal", f_equal},   {"random_text", f_random_text},
    {"random", f_random}, {"random_number", f_random_number},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {{"policy", f_policy}, {NULL, NULL}};

int test_open_token(lua_State *L) {
    if (secret_setup() != 0) return luaL_error(L, "no randomness");
    push_class(L, POLICY, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    luaL_newlib(L, secret_functions);
    lua_setfield(L, -2, "secret");
    return 1;
}
