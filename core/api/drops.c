/* SPDX-License-Identifier: Apache-2.0 */
#include "api/drops.h"

#include "api/api_session.h"
#include "api/lua_args.h"
#include "api/states.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "script/task.h"

enum { BYTES_MAX = 4 * 1024 * 1024, CODE_LOST = 1006, CODE_SLOW = 4002 };

typedef struct Drop {
    Session *session;       /* pinned */
    const Message *message; /* retained */
    const char *reason;     /* static */
} Drop;

void drops_init(Drops *drops, States *states, uint32_t max) {
    *drops = (Drops){.states = states, .max = max};
}

static void forget(Drops *drops) {
    for (uint32_t i = 0; i < drops->count; i++) {
        session_unpin(drops->items[i].session);
        message_release(drops->items[i].message);
    }
    drops->count = 0;
    drops->bytes = 0;
}

void drops_deinit(Drops *drops) {
    forget(drops);
    mem_free(drops->items);
}

static void add(Drops *drops, Session *session, const Message *message, const char *reason) {
    if (!api_hears(drops->states->current, API_HOOK_DROPPED)) return;
    size_t len = message->parts.attributes.len;
    if (drops->count >= drops->max || drops->bytes + len > BYTES_MAX) {
        metrics_add(METRIC_dropped_untold_total, 1);
        return;
    }
    if (drops->items == NULL) drops->items = mem_grow(NULL, drops->max, sizeof(Drop));
    session_pin(session);
    drops->items[drops->count++] = (Drop){session, message_retain(message), reason};
    drops->bytes += len;
}

static const char *reason_of(uint16_t code) {
    return code == CODE_SLOW ? "slow" : code == CODE_LOST ? "lost" : "closing";
}

void drops_add(void *context, Subscriber *subscriber, const Message *message) {
    Session *session = session_of(subscriber);
    add(context, session, message, reason_of(session_close_code(session)));
}

void drops_add_void(void *context, Subscriber *subscriber, const Message *message, NetVoid why) {
    const Drops *drops = context;
    Trace *trace = drops->states->current->registry->trace;
    TraceKind kind = why == NET_SUPERSEDED ? TRACE_SUPERSEDED : TRACE_EXPIRED;
    if (trace != NULL) trace_mark(trace, message->notice->number, subscriber->number, kind);
    add(context, session_of(subscriber), message, why == NET_SUPERSEDED ? "superseded" : "expired");
}

static void push_drop(lua_State *L, const Drop *drop) {
    const MessageParts *parts = &drop->message->parts;
    lua_createtable(L, 0, 4);
    if (session_is_bound(drop->session)) {
        push_session(L, drop->session);
    } else {
        push_ended_session(L, drop->session);
    }
    lua_setfield(L, -2, "session");
    set_field_str(L, "name", parts->event);
    set_field_str(L, "attributes", parts->attributes);
    set_field_str(L, "reason", str_of(drop->reason));
}

static void on_told(void *context) {
    ((Drops *)context)->is_told = false;
}

void drops_tell(Drops *drops) {
    if (drops->count == 0 || drops->is_told) return;
    const Api *api = drops->states->current;
    lua_State *L = api->script->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_dropped);
    lua_createtable(L, (int)drops->count, 0);
    for (uint32_t i = 0; i < drops->count; i++) {
        push_drop(L, &drops->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    forget(drops);
    drops->is_told = true;
    task_start(api->script, "dropped", 1, on_told, drops);
}
