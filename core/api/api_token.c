/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_json.h"
#include "api/ask.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "base/metrics.h"

enum { SWEEP_TOKENS = 64 * 1024 };

static Keyring *check_keys_of(lua_State *L) {
    const Api *api = api_of(L);
    Keyring *keys = api->keys;
    if (api->bus != NULL && !api->is_running)
        luaL_error(L, "there are no tokens in setup: make or verify them in a handler or a hook");
    if (keys == NULL || keys->current == NULL) {
        luaL_error(L, "no token key is configured (JWT_SECRET or JWT_PUBLIC_KEY_FILE)");
    }
    return keys;
}

static const char *code_of(int err) {
    switch (err) {
    case ERR_EXPIRED: return "TOKEN_EXPIRED";
    case ERR_UNAVAILABLE: return "TOKEN_NOT_YET";
    default: return "TOKEN_INVALID";
    }
}

static int push_refused(lua_State *L, const char *reason, const char *code) {
    metrics_add(METRIC_token_failures_total, 1);
    lua_pushnil(L);
    lua_pushstring(L, reason);
    lua_pushstring(L, code);
    return 3;
}

static int f_verify(lua_State *L) {
    Keyring *keys = check_keys_of(L);
    Token token;
    uint32_t generation;
    const char *reason;
    int err = keyring_verify(keys, check_str(L, 1), clock_wall_ms(), &token, &generation, &reason);
    if (err != 0) return push_refused(L, reason, code_of(err));
    const Revocations *revocations = api_of(L)->revocations;
    if (revocations != NULL &&
        revocations_has(revocations, bytes_str(token.user), bytes_str(token.claims))) {
        token_deinit(&token);
        return push_refused(L, "it was revoked", "TOKEN_REVOKED");
    }
    lua_createtable(L, 0, 4);
    set_field_integer(L, "key", generation);
    set_field_str(L, "user", bytes_str(token.user));
    set_field_str(L, "claims", bytes_str(token.claims));
    if (token.expires_s != 0) set_field_integer(L, "expires", token.expires_s);
    token_deinit(&token);
    return 1;
}

/* Copies the table and adds iat, and exp when there is a ttl. stack: claims, ttl, start -> ..., copy */
static void push_claims(lua_State *L) {
    int64_t now_s = clock_wall_ms() / 1000;
    int64_t start_s = luaL_optinteger(L, 3, 0);
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    set_field_integer(L, "iat", start_s > now_s ? start_s : now_s);
    if (!lua_isnoneornil(L, 2)) {
        lua_Number ttl = luaL_checknumber(L, 2);
        luaL_argcheck(L, ttl > 0 && ttl < 1e10, 2, "a time to live in seconds");
        set_field_integer(L, "exp", now_s + (int64_t)ttl);
    }
}

static int f_make(lua_State *L) {
    const Keyring *keys = check_keys_of(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    if (opt_field_str(L, 1, "sub").len == 0)
        return luaL_argerror(L, 1, "sub must be a non-empty string");
    push_claims(L);
    push_json(L, -1);
    Bytes *text;
    int err = token_make(keys->current, check_str(L, -1), &text);
    if (err == ERR_UNAVAILABLE) {
        return push_failure(L, err, "there is no key to sign with: set JWT_PRIVATE_KEY_FILE");
    }
    if (err != 0) return push_failure(L, err, "the claims cannot be put into a token");
    push_str(L, bytes_str(text));
    bytes_release(text);
    return 1;
}

static int push_closed_sessions(lua_State *L, void *data) {
    lua_pushinteger(L, (lua_Integer) * (const uint64_t *)data);
    return 1;
}

static void on_done(void *waiter, uint64_t sessions) {
    ask_finish(waiter, &sessions);
}

/* stack: secret, until (seconds since 1970, or nil) */
static int f_change_secret(lua_State *L) {
    Api *api = check_running(L);
    Str secret = check_str(L, 1);
    lua_Number until = luaL_optnumber(L, 2, 0);
    luaL_argcheck(L, secret.len > 0, 1, "a secret that is not empty");
    luaL_argcheck(L, until >= 0 && until < 1e12, 2, "seconds since 1970");
    Ask *ask = ask_new(L, push_closed_sessions);
    bus_change_secret(api->bus, (unsigned)api->worker, secret, (int64_t)(until * 1000), on_done, ask);
    return task_yield(L);
}

/* stack: space, key, value */
static int f_revoke(lua_State *L) {
    Api *api = check_running(L);
    Revocation revocation = {check_str(L, 1), check_str(L, 2), check_str(L, 3)};
    bus_revoke(api->bus, (unsigned)api->worker, &revocation, on_done, ask_new(L, push_closed_sessions));
    return task_yield(L);
}

/* stack: user, claims */
static int f_revocation_key(lua_State *L) {
    Buf key = BUF_NONE;
    if (!revocations_key(check_str(L, 1), check_str(L, 2), &key)) return 0;
    push_str(L, buf_str(&key));
    buf_deinit(&key);
    return 1;
}

static int f_revocation_count(lua_State *L) {
    const Revocations *revocations = check_running(L)->revocations;
    lua_pushinteger(L, (lua_Integer)(revocations->tokens.count + revocations->users.count));
    return 1;
}

/* A step of a few milliseconds. */
static int f_sweep_revocations(lua_State *L) {
    revocations_sweep(check_running(L)->revocations, SWEEP_TOKENS);
    return 0;
}

static const luaL_Reg lib[] = {
    {"verify", f_verify},
    {"make", f_make},
    {"change_secret", f_change_secret},
    {"revoke", f_revoke},
    {"revocation_key", f_revocation_key},
    {"revocation_count", f_revocation_count},
    {"sweep_revocations", f_sweep_revocations},
    {NULL, NULL},
};

int api_open_token(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
