/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/api_json.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "base/metrics.h"

static const TokenPolicy *check_policy(lua_State *L) {
    const TokenPolicy *policy = api_of(L)->tokens;
    if (policy == NULL) luaL_error(L, "no token key is configured (JWT_SECRET or JWT_PUBLIC_KEY_FILE)");
    return policy;
}

static const char *code_of(int err) {
    switch (err) {
    case ERR_EXPIRED: return "TOKEN_EXPIRED";
    case ERR_UNAVAILABLE: return "TOKEN_NOT_YET";
    default: return "TOKEN_INVALID";
    }
}

static int f_verify(lua_State *L) {
    const TokenPolicy *policy = check_policy(L);
    Token token;
    const char *reason;
    int err = token_verify(policy, check_str(L, 1), clock_wall_ms() / 1000, &token, &reason);
    if (err != 0) {
        metrics_add(METRIC_token_failures_total, 1);
        lua_pushnil(L);
        lua_pushstring(L, reason);
        lua_pushstring(L, code_of(err));
        return 3;
    }
    lua_createtable(L, 0, 3);
    set_field_str(L, "user", bytes_str(token.user));
    set_field_str(L, "claims", bytes_str(token.claims));
    if (token.expires_s != 0) set_field_integer(L, "expires", token.expires_s);
    token_deinit(&token);
    return 1;
}

/* Copies the table and adds iat, and exp when there is a ttl. stack: claims, ttl -> ..., copy */
static void push_claims(lua_State *L) {
    int64_t now_s = clock_wall_ms() / 1000;
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    set_field_integer(L, "iat", now_s);
    if (!lua_isnoneornil(L, 2)) {
        lua_Number ttl = luaL_checknumber(L, 2);
        luaL_argcheck(L, ttl > 0 && ttl < 1e10, 2, "a time to live in seconds");
        set_field_integer(L, "exp", now_s + (int64_t)ttl);
    }
}

static int f_make(lua_State *L) {
    const TokenPolicy *policy = check_policy(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (opt_field_str(L, 1, "sub").len == 0) return luaL_argerror(L, 1, "sub must be a non-empty string");
    push_claims(L);
    push_json(L, -1);
    Bytes *text;
    int err = token_make(policy, check_str(L, -1), &text);
    if (err == ERR_UNAVAILABLE) {
        return push_failure(L, err, "there is no key to sign with: set JWT_PRIVATE_KEY_FILE");
    }
    if (err != 0) return push_failure(L, err, "the claims cannot be put into a token");
    push_str(L, bytes_str(text));
    bytes_release(text);
    return 1;
}

static const luaL_Reg lib[] = {{"verify", f_verify}, {"make", f_make}, {NULL, NULL}};

int api_open_token(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
