/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.trace: what a worker records, by hand.
 *     local one = trace.new(bytes)
 *     one:event(name, targets)   -> number       one:events()    -> { {number =, name =, targets =} }
 *     one:session(user, id, reason) -> number    one:sessions()  -> { {number =, user =, id =, reason =} }
 *     one:confirm(session, ack)                  one:confirmations() -> { {session =, ack =} }
 */
#include "api/lua_args.h"
#include "hub/trace.h"
#include "test/test.h"

#define TRACE "core.test.trace"

static Trace *check_trace(lua_State *L) {
    return *(Trace **)luaL_checkudata(L, 1, TRACE);
}

static int f_new(lua_State *L) {
    Trace **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = trace_new(3, (uint64_t)luaL_checkinteger(L, 1));
    luaL_setmetatable(L, TRACE);
    return 1;
}

static int f_gc(lua_State *L) {
    trace_free(check_trace(L));
    return 0;
}

static int f_event(lua_State *L) {
    Trace *trace = check_trace(L);
    TraceEvent event = {.number = trace_number_event(trace),
                        .name = check_str(L, 2),
                        .origin = STR("o"),
                        .targets = check_str(L, 3),
                        .at_ms = 7};
    trace_add_event(trace, &event);
    lua_pushinteger(L, event.number);
    return 1;
}

static int f_session(lua_State *L) {
    Trace *trace = check_trace(L);
    TraceSession session = {.number = trace_number_session(trace),
                            .user = check_str(L, 2),
                            .id = check_str(L, 3),
                            .reason = check_str(L, 4)};
    trace_add_session(trace, &session);
    lua_pushinteger(L, session.number);
    return 1;
}

static void on_event(void *context, const TraceEvent *event) {
    lua_State *L = context;
    lua_newtable(L);
    set_field_integer(L, "number", event->number);
    set_field_str(L, "name", event->name);
    set_field_str(L, "targets", event->targets);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static void on_session(void *context, const TraceSession *session) {
    lua_State *L = context;
    lua_newtable(L);
    set_field_integer(L, "number", session->number);
    set_field_str(L, "user", session->user);
    set_field_str(L, "id", session->id);
    set_field_str(L, "reason", session->reason);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int f_confirm(lua_State *L) {
    TraceConfirmation one = {.session = check_str(L, 2), .ack = check_str(L, 3)};
    trace_add_confirmation(check_trace(L), &one);
    return 0;
}

static void on_confirmation(void *context, const TraceConfirmation *one) {
    lua_State *L = context;
    lua_newtable(L);
    set_field_str(L, "session", one->session);
    set_field_str(L, "ack", one->ack);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int f_confirmations(lua_State *L) {
    const Trace *trace = check_trace(L);
    lua_newtable(L);
    trace_each_confirmation(trace, on_confirmation, L);
    return 1;
}

static int f_events(lua_State *L) {
    const Trace *trace = check_trace(L);
    lua_newtable(L);
    trace_each_event(trace, on_event, L);
    return 1;
}

static int f_sessions(lua_State *L) {
    const Trace *trace = check_trace(L);
    lua_newtable(L);
    trace_each_session(trace, on_session, L);
    return 1;
}

static const luaL_Reg methods[] = {{"event", f_event},     {"session", f_session},
                                   {"events", f_events},   {"sessions", f_sessions},
                                   {"confirm", f_confirm}, {"confirmations", f_confirmations},
                                   {"__gc", f_gc},         {NULL, NULL}};

static const luaL_Reg lib[] = {{"new", f_new}, {NULL, NULL}};

int test_open_trace(lua_State *L) {
    push_class(L, TRACE, methods);
    lua_pop(L, 1);
    luaL_newlib(L, lib);
    return 1;
}
