/* SPDX-License-Identifier: Apache-2.0 */
#include "api/arrival.h"

#include "api/api_event.h"
#include "api/api_session.h"
#include "api/asking.h"
#include "api/join.h"
#include "api/lua_args.h"
#include "api/memo.h"
#include "api/states.h"
#include "net/session_sse.h"
#include "net/session_ws.h"

static void unpin(void *session) {
    session_unpin(session);
}

/* The task that opened it, or that of a frame, is over: the next frame may come. */
static void on_task_end(void *context) {
    Session *session = context;
    session_next(session);
    session_unpin(session);
}

/* The Api that gets what begins now. */
static Api *current_api(const Session *session) {
    return ((States *)session->owner->context)->current;
}

static void on_frame(Session *session, Str text) {
    const Api *api = current_api(session);
    lua_State *L = api->script->L;
    session_pin(session);
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_frame);
    push_session(L, session);
    push_str(L, text);
    task_start(api->script, "frame", 2, on_task_end, session);
}

/* Of an event that all sessions got; those of session:ask are numbered from 1 on, in 32 bits. */
static void take_ack(Session *session, const SioPacket *packet) {
    if (packet->ack <= UINT32_MAX) {
        asking_take(session, packet);
        return;
    }
    const Api *api = current_api(session);
    lua_State *L = api->script->L;
    session_pin(session);
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_ack);
    push_session(L, session);
    lua_pushfstring(L, "%I", (LUAI_UACINT)packet->ack);
    task_start(api->script, "ack", 2, unpin, session);
}

/* stack: function, session, event or nil, ack or nil */
static void on_packet(Session *session, const SioPacket *packet) {
    if (packet->type == SIO_ACK) {
        take_ack(session, packet);
        return;
    }
    const Api *api = current_api(session);
    lua_State *L = api->script->L;
    session_pin(session);
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_packet);
    push_session(L, session);
    if (!push_event_of_packet(L, packet)) lua_pushnil(L);
    if (packet->ack == SIO_NO_ACK) {
        lua_pushnil(L);
    } else {
        lua_pushfstring(L, "%I", (LUAI_UACINT)packet->ack);
    }
    task_start(api->script, "packet", 3, on_task_end, session);
}

static void on_expiring(Session *session) {
    const Api *api = current_api(session);
    lua_State *L = api->script->L;
    session_pin(session);
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_expiring);
    push_session(L, session);
    task_start(api->script, "expiring", 1, unpin, session);
}

/* Its hooks run with the last proxy, which lets go of what Lua keeps of the session when they are through. */
static void run_disconnect(const Api *api, Session *session, uint16_t code, Str reason) {
    lua_State *L = api->script->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_disconnect);
    push_ended_session(L, session);
    lua_pushinteger(L, code);
    push_str(L, reason);
    task_start(api->script, "disconnect", 3, NULL, NULL);
}

static void on_close(Session *session, uint16_t code, Str reason) {
    Api *api = current_api(session);
    bool was_live = session->subscriber.user != NULL;
    if (was_live) join_record_end(api, session, code, reason);
    registry_remove(api->registry, &session->subscriber);
    join_leave(api, session);
    asking_cancel(session);
    if (was_live && api_hears(api, API_HOOK_DISCONNECT)) {
        run_disconnect(api, session, code, reason);
    } else {
        end_session(session);
        memo_forget(api, session->facts.id);
    }
}

static const SessionHandler handler = {
    .on_frame = on_frame, .on_packet = on_packet, .on_expiring = on_expiring, .on_close = on_close};

static Session *make_session(const Api *api, Address remote) {
    SessionOwner *owner = &api->states->session_owner;
    *owner = (SessionOwner){&handler, api->states, &api->net->pool, api->expiring_notice_ms};
    return session_new(remote, owner);
}

static Session *open_in_mux(void *states, Mux *mux) {
    return make_session(((States *)states)->current, mux_remote(mux));
}

static void push_opt(lua_State *L, Str text) {
    if (text.len > 0) {
        push_str(L, text);
    } else {
        lua_pushnil(L);
    }
}

/* stack: function, session, auth or nil, token or nil */
static void on_connect(void *states, Mux *mux, Session *session, Str auth) {
    const Api *api = ((States *)states)->current;
    lua_State *L = api->script->L;
    session_hold(session);
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_connect);
    push_session(L, session);
    push_opt(L, auth);
    push_opt(L, mux_token(mux));
    task_start(api->script, "connect", 3, on_task_end, session); /* with its pin */
}

const MuxHandler arrival_mux_handler = {.on_open = open_in_mux, .on_connect = on_connect};

static int push_opened(lua_State *L, RequestBox *box, Session *session, int err) {
    if (err != 0) return push_failure(L, err, NULL);
    session_hold(session);
    box->on_end = on_task_end;
    box->opened = session; /* with its pin */
    push_session(L, session);
    return 1;
}

int arrival_push_session(lua_State *L, RequestBox *box, Str protocol) {
    Session *session = make_session(api_of(L), box->request->remote);
    int err = session_ws_open(box->request, protocol, session);
    return push_opened(L, box, session, err);
}

int arrival_push_stream(lua_State *L, RequestBox *box, const Header *headers, size_t header_count) {
    Session *session = make_session(api_of(L), box->request->remote);
    int err = session_sse_open(box->request, headers, header_count, session);
    return push_opened(L, box, session, err);
}
