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
    Session *session; /* pinned */
    Notice *notice;   /* retained */
    uint32_t message;
    uint16_t code; /* with which the session closes */
} Drop;

void drops_init(Drops *drops, States *states, uint32_t max) {
    *drops = (Drops){.states = states, .max = max};
}

static void forget(Drops *drops) {
    for (uint32_t i = 0; i < drops->count; i++) {
        session_unpin(drops->items[i].session);
        notice_release(drops->items[i].notice);
    }
    drops->count = 0;
    drops->bytes = 0;
}

void drops_deinit(Drops *drops) {
    forget(drops);
    mem_free(drops->items);
}

void drops_add(void *context, Subscriber *subscriber, const Notice *notice, uint32_t message) {
    Drops *drops = context;
    if (!drops->states->current->hears_drops) return;
    size_t len = notice->messages[message].parts.attributes.len;
    if (drops->count >= drops->max || drops->bytes + len > BYTES_MAX) {
        metrics_add(METRIC_dropped_untold_total, 1);
        return;
    }
    if (drops->items == NULL) drops->items = mem_grow(NULL, drops->max, sizeof(Drop));
    Session *session = session_of(subscriber);
    session_pin(session);
    /* Only the count of the notice is changed. */
    drops->items[drops->count++] = (Drop){session, notice_retain((Notice *)(uintptr_t)notice), message,
                                          session_close_code(session)};
    drops->bytes += len;
}

static const char *reason_of(uint16_t code) {
    return code == CODE_SLOW ? "slow" : code == CODE_LOST ? "lost" : "closing";
}

static void push_drop(lua_State *L, const Drop *drop) {
    const MessageParts *parts = &drop->notice->messages[drop->message].parts;
    lua_createtable(L, 0, 4);
    if (drop->session->transport != NULL) {
        push_session(L, drop->session);
    } else {
        push_ended_session(L, drop->session);
    }
    lua_setfield(L, -2, "session");
    set_field_str(L, "name", parts->event);
    set_field_str(L, "attributes", parts->attributes);
    set_field_str(L, "reason", str_of(reason_of(drop->code)));
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
