/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/ask.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "hub/inquiry.h"

typedef struct Texts {
    Bytes *const *items;
    unsigned count;
} Texts;

static int push_texts(lua_State *L, void *data) {
    const Texts *texts = data;
    lua_createtable(L, (int)texts->count, 0);
    for (unsigned i = 0; i < texts->count; i++) {
        push_str(L, bytes_str(texts->items[i]));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static void on_texts(void *waiter, Bytes *const *items, unsigned count) {
    Texts texts = {items, count};
    ask_finish(waiter, &texts);
}

static int ask(lua_State *L, const Inquiry *inquiry) {
    Api *api = check_running(L);
    Ask *waiter = ask_new(L, push_texts);
    bus_inquire(api->bus, (unsigned)api->worker, inquiry, on_texts, waiter);
    return task_yield(L);
}

static int f_events(lua_State *L) {
    Inquiry inquiry = {.event = check_str(L, 1), .user = STR_NONE};
    return ask(L, &inquiry);
}

static int f_sessions(lua_State *L) {
    Inquiry inquiry = {.event = STR(""), .user = check_str(L, 1)};
    inquiry.number = (uint32_t)luaL_optinteger(L, 2, 0);
    inquiry.ack = opt_str(L, 3);
    return ask(L, &inquiry);
}

static int f_confirm(lua_State *L) {
    TraceConfirmation confirmation = {
        .session = check_str(L, 1), .ack = check_str(L, 2), .at_ms = clock_wall_ms()};
    trace_add_confirmation(check_running(L)->registry->trace, &confirmation);
    return 0;
}

void api_on_inquiry(const Api *api, Op *op) {
    inquiry_run(api->registry, api->history, op);
    bus_answer(api->bus, op);
}

static const luaL_Reg lib[] = {
    {"events", f_events}, {"sessions", f_sessions}, {"confirm", f_confirm}, {NULL, NULL}};

int api_open_trace(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
