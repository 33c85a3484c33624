/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/api_socket.h"
#include "api/arrival.h"
#include "api/lua_args.h"
#include "api/relay.h"
#include "api/states.h"

/* stack: request, sid */
static int ask(lua_State *L, RelayKind kind) {
    return relay_ask(L, check_request_box(L, 1), kind, check_str(L, 2));
}

static int f_poll(lua_State *L) {
    return ask(L, RELAY_POLL);
}

static int f_post(lua_State *L) {
    return ask(L, RELAY_POST);
}

static int f_upgrade(lua_State *L) {
    lua_pushboolean(L, relay_upgrade(L, check_request_box(L, 1), check_str(L, 2)));
    return 1;
}

/* stack: request, handler */
static int f_open(lua_State *L) {
    RequestBox *box = check_request_box(L, 1);
    luaL_checkany(L, 2);
    if (engines_are_full(api_of(L)->engines)) return push_failure(L, ERR_LIMIT, NULL);
    return push_opened_engine(L, box, 2);
}

static int f_open_socket(lua_State *L) {
    RequestBox *box = check_request_box(L, 1);
    luaL_checkany(L, 2);
    box->was_answered = true;
    return push_opened_engine_socket(L, box, 2);
}

/* stack: request, token or nil, is_text_only, keeps_token */
static MuxOwner owner_of(lua_State *L) {
    MuxOwner owner = {.handler = &arrival_mux_handler, .context = api_of(L)->states};
    owner.is_text_only = lua_toboolean(L, 3);
    owner.keeps_token = lua_toboolean(L, 4);
    return owner;
}

/* stack: request, token or nil, is_text_only, keeps_token */
static int f_open_mux(lua_State *L) {
    const RequestBox *box = check_request_box(L, 1);
    const Api *api = api_of(L);
    MuxOwner owner = owner_of(L);
    if (engines_are_full(api->engines)) return push_failure(L, ERR_LIMIT, NULL);
    Buf answer = BUF_NONE;
    mux_open(api->engines, &owner, box->request, opt_str(L, 2), &answer);
    push_str(L, buf_str(&answer));
    buf_deinit(&answer);
    return 1;
}

/* stack: request, token or nil, is_text_only, keeps_token */
static int f_open_mux_socket(lua_State *L) {
    RequestBox *box = check_request_box(L, 1);
    const Api *api = api_of(L);
    MuxOwner owner = owner_of(L);
    box->was_answered = true;
    int err = mux_open_socket(api->engines, &owner, box->request, opt_str(L, 2));
    if (err != 0) return push_failure(L, err, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

static const luaL_Reg lib[] = {
    {"poll", f_poll},
    {"post", f_post},
    {"upgrade", f_upgrade},
    {"open", f_open},
    {"open_socket", f_open_socket},
    {"open_mux", f_open_mux},
    {"open_mux_socket", f_open_mux_socket},
    {NULL, NULL},
};

int api_open_engine(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
