/* SPDX-License-Identifier: Apache-2.0
 *
 * When the roster's answer comes out of the inbox, the worker has fanned out exactly the kept events up to
 * registry->kept_sequence: these are what may have been missed. Those behind lie in the inbox still and
 * come live.
 */
#include "api/join.h"

#include "api/api_greeting.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "hub/catchup.h"
#include "script/task.h"

typedef struct Join {
    Api *api; /* of the state that waits */
    Session *session;
    Wait *wait;
    Bytes *after; /* NULL: nothing is to be caught up with */
    Op *op;       /* the roster's answer */
    Catchup catchup;
} Join;

/* Of no event: whoever is cut before it could read of its gap comes back with it, and is told again. */
#define NO_CURSOR STR("0")

static const char *const reasons[] = {
    [CATCHUP_WHOLE] = NULL,
    [CATCHUP_UNKNOWN] = "unknown",
    [CATCHUP_LOST] = "lost",
    [CATCHUP_TOO_MANY] = "too-many",
};

void join_check_token(const Api *api, Session *session) {
    int64_t until_ms = api->keys->previous ? api->keys->previous_until_ms : 0;
    session->subscriber.class->retire_key(&session->subscriber, api->keys->generation, until_ms);
    if (revocations_has(api->revocations, session_user(&session->facts),
                        session_claims(&session->facts))) {
        session_close(session, SUBSCRIBER_CODE_REVOKED, STR("the token was revoked"));
    }
}

void join_leave(const Api *api, Session *session) {
    if (!session->is_member) return;
    session->is_member = false;
    Op *op = op_new(OP_LEAVE);
    op->origin = (uint16_t)api->worker;
    op_set_name(op, session_user(&session->facts));
    bus_ask_roster(api->bus, op);
}

void join_record_end(const Api *api, const Session *session, uint16_t code, Str reason) {
    TraceSession ended = {
        .number = session->subscriber.number,
        .code = code,
        .closed_ms = clock_wall_ms(),
        .user = session_user(&session->facts),
        .id = session_id(&session->subscriber),
        .reason = reason,
    };
    session->subscriber.class->describe(&session->subscriber, &ended.since_ms, &ended.waiting);
    trace_add_session(api->registry->trace, &ended);
}

/* Where the session stands in the order of kept events; false when nothing is kept for it. */
static bool find_cursor(const Join *join, char id[MESSAGE_ID_LEN]) {
    const Api *api = join->api;
    if (api->history == NULL || (join->after == NULL && api_rules(api)->count == 0)) return false;
    bool goes_on = join->after != NULL && join->catchup.result == CATCHUP_WHOLE;
    uint64_t sequence = goes_on ? join->catchup.had : api->registry->kept_sequence;
    history_encode_id(api->history, sequence, id);
    return true;
}

/* stack of L: session, after, greeting or nil, expires or nil, ack or nil -> ..., true, id or nil, reason or nil */
static int push_joined(lua_State *L, void *data) {
    const Join *join = data;
    if (join->op->error != 0) return push_failure(L, join->op->error, NULL);
    char id[MESSAGE_ID_LEN];
    Str cursor = find_cursor(join, id) ? str_make(id, sizeof id) : STR_NONE;
    const char *reason = reasons[join->catchup.result];
    GreetingFacts facts = {
        .session = join->session,
        .channels = join->op->channels,
        .expires_s = lua_tonumber(L, 4),
        .ack = opt_str(L, 5),
        /* Who is cut before it could read of its gap shall come back with the id of before, and be told again. */
        .id = reason == NULL ? cursor : STR_NONE,
    };
    const Greeting *greeting = opt_greeting(L, 3);
    if (greeting != NULL) greeting_send(greeting, &facts);
    lua_pushboolean(L, 1);
    if (cursor.len > 0) {
        push_str(L, cursor);
    } else {
        lua_pushnil(L);
    }
    lua_pushstring(L, reason);
    return 3;
}

/* What push_joined has pushed. */
static int on_resumed(lua_State *L, int status, lua_KContext context) {
    (void)L, (void)status, (void)context;
    return 3;
}

static void find_missed(Join *join) {
    const Api *api = join->api;
    if (join->after == NULL) return;
    if (api->history == NULL) {
        join->catchup.result = CATCHUP_UNKNOWN;
    } else {
        CatchupQuery query = {
            .user = session_user(&join->session->facts),
            .session = session_id(&join->session->subscriber),
            .channels = join->op->channels,
            .rules = api_rules(api),
            .after = bytes_str(join->after),
            .upto = api->registry->kept_sequence,
            .now_ms = clock_monotonic_ms(),
            .events_max = api->replay_max,
            .bytes_max = api->net->limits.queue_bytes_max,
        };
        catchup_find(api->history, &query, &join->catchup);
    }
    if (join->catchup.result != CATCHUP_WHOLE) metrics_add(METRIC_gaps_total, 1);
    join->session->subscriber.had = join->catchup.had;
}

static void bring_missed(Join *join) {
    Subscriber *subscriber = &join->session->subscriber;
    MissedList *missed = &join->catchup.missed;
    Trace *trace = join->api->registry->trace;
    for (size_t i = 0; i < missed->count && session_is_open(join->session); i++) {
        Bytes *frame = subscriber->class->deliver(subscriber, missed_message(&missed->items[i]));
        if (frame == NULL) break;
        bytes_retain(frame);
        if (trace != NULL) {
            trace_mark(trace, missed->items[i].notice->number, subscriber->number, TRACE_REPLAYED);
        }
        metrics_add(METRIC_replayed_total, 1);
    }
    missed_deinit(missed);
}

static void enter(Join *join) {
    const Api *api = join->api;
    Session *session = join->session;
    find_missed(join);
    registry_add(api->registry, &session->subscriber, session_user(&session->facts),
                 join->op->channels);
    join_check_token(api, session);
    char id[MESSAGE_ID_LEN];
    SessionStart start = {.cursor = STR_NONE};
    bool is_whole = join->catchup.result == CATCHUP_WHOLE;
    if (find_cursor(join, id)) start.cursor = is_whole ? str_make(id, sizeof id) : NO_CURSOR;
    start.is_whole = join->after != NULL && is_whole;
    session_go_live(session, &start);
}

static void on_joined(Op *op, void *waiter) {
    Join *join = waiter;
    Session *session = join->session;
    join->op = op;
    join->api->asks--;
    session->is_member = op->error == 0;
    if (!session_is_open(session)) {
        join_leave(join->api, session);
        op->error = ERR_CLOSED;
    } else if (op->error == 0) {
        enter(join);
    }
    task_wake(join->wait, push_joined, join);
    bring_missed(join);
    session_start_writing(session);
    session_unpin(session);
    bytes_release(join->after);
    mem_free(join);
}

int join_ask(lua_State *L, Session *session) {
    Str after = opt_str(L, 2);
    opt_greeting(L, 3);
    luaL_optnumber(L, 4, 0);
    opt_str(L, 5);
    lua_settop(L, 5); /* stays there for push_joined */
    Wait *wait = task_arm(L);
    Api *api = api_of(L);
    session->has_joined = true;
    api->asks++;
    session_pin(session);
    Join *join = mem_zalloc(sizeof *join);
    join->api = api;
    join->session = session;
    join->wait = wait;
    join->after = after.data != NULL ? bytes_copy(after) : NULL;
    Op *op = op_new(OP_JOIN);
    op->origin = (uint16_t)api->worker;
    op_set_name(op, session_user(&session->facts));
    op->on_answer = on_joined;
    op->waiter = join;
    bus_ask_roster(api->bus, op);
    session_stop_writing(session); /* the handshake's answer leaves with chatty:connected */
    return task_yield_on(L, on_resumed, 0);
}
