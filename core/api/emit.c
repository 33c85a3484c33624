/* SPDX-License-Identifier: Apache-2.0 */
#include "api/emit.h"

#include "api/ask.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "hub/notice_record.h"

/* An event that waits to be on the disk. */
typedef struct Emit {
    Ask *ask;
    Trace *trace; /* of the worker; borrowed */
    Notice *notice;
    Buf texts; /* of the labels, one behind the other */
    EmitLabels labels;
    int error;
    Tally *tally; /* NULL: nobody counted */
} Emit;

void push_count(lua_State *L, uint64_t users, uint64_t sessions) {
    lua_createtable(L, 0, 3);
    set_field_integer(L, "users", (lua_Integer)users);
    set_field_integer(L, "sessions", (lua_Integer)sessions);
}

/* The id of a kept event. */
static int push_id(lua_State *L, uint64_t sequence) {
    if (sequence == 0) return 0;
    char id[MESSAGE_ID_LEN];
    history_encode_id(api_of(L)->history, sequence, id);
    push_str(L, str_make(id, sizeof id));
    return 1;
}

static int push_done(lua_State *L, uint64_t sequence) {
    lua_pushboolean(L, 1);
    return 1 + push_id(L, sequence);
}

static int push_tally(lua_State *L, void *data) {
    Tally *tally = data;
    uint64_t users;
    uint64_t sessions;
    tally_close(tally, &users, &sessions);
    push_count(L, users, sessions);
    lua_createtable(L, (int)tally->row_count, 0);
    for (uint32_t i = 0; i < tally->row_count; i++) {
        push_count(L, tally->rows[i].user_count, tally->rows[i].sessions);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "per_name");
    return 1 + push_id(L, tally->sequence);
}

static int push_emit(lua_State *L, void *data) {
    const Emit *made = data;
    if (made->error != 0)
        return push_failure(L, made->error, "the event could not be written to the store");
    return made->tally != NULL ? push_tally(L, made->tally) : push_done(L, made->notice->last_sequence);
}

/* --- what is recorded --- */

/* Names, each on a line of its own, as many as there is room for. */
static Str join_names(const Str *names, size_t stride, uint32_t count, char *text, size_t size) {
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        const Str *name = (const Str *)(const void *)((const char *)names + i * stride);
        if (len + name->len + 1 > size) break;
        memcpy(text + len, name->data, name->len);
        len += name->len;
        text[len++] = '\n';
    }
    return str_make(text, len);
}

static uint32_t count_lines(Str text) {
    uint32_t count = 0;
    for (size_t i = 0; i < text.len; i++) count += text.data[i] == '\n';
    return count;
}

static void record(Trace *trace, const Notice *notice, const EmitLabels *labels) {
    char targets[512];
    char except[256];
    char sessions[256];
    TraceEvent event = {
        .number = notice->number,
        .by_users = notice->kind == NOTICE_USERS,
        .is_efficient = notice->is_efficient,
        .at_ms = clock_wall_ms(),
        .first_sequence = notice->first_sequence,
        .last_sequence = notice->last_sequence,
        .name = labels->name,
        .origin = labels->origin,
        .id = labels->id,
        .ack = labels->ack,
        .targets = join_names(&notice->targets[0].name, sizeof(Target), notice->target_count, targets,
                              sizeof targets),
        .except = join_names(notice->except, sizeof(Str), notice->except_count, except, sizeof except),
        .except_sessions = join_names(notice->except_sessions, sizeof(Str),
                                      notice->except_session_count, sessions, sizeof sessions),
    };
    event.is_cut = count_lines(event.targets) < notice->target_count ||
                   count_lines(event.except) < notice->except_count ||
                   count_lines(event.except_sessions) < notice->except_session_count;
    trace_add_event(trace, &event);
}

/* --- by way of the journal --- */

static Str copy_label(Buf *texts, Str label) {
    buf_add(texts, label);
    return str_make(texts->data + texts->len - label.len, label.len);
}

static void finish(Emit *made) {
    if (made->error == 0) record(made->trace, made->notice, &made->labels);
    ask_finish(made->ask, made);
    notice_release(made->notice);
    buf_deinit(&made->texts);
    mem_free(made);
}

static void on_logged(Op *op, void *waiter) {
    Emit *made = waiter;
    made->error = op->error;
    finish(made);
}

static void on_logged_tally(void *waiter, Tally *tally) {
    Emit *made = waiter;
    made->tally = tally;
    finish(made);
}

/* Takes the notice. */
static Emit *emit_new(lua_State *L, Notice *notice, const EmitLabels *labels) {
    Emit *made = mem_zalloc(sizeof *made);
    made->ask = ask_new(L, push_emit);
    made->trace = api_of(L)->registry->trace;
    made->notice = notice;
    buf_reserve(&made->texts, labels->name.len + labels->origin.len + labels->id.len + labels->ack.len);
    made->labels.name = copy_label(&made->texts, labels->name);
    made->labels.origin = copy_label(&made->texts, labels->origin);
    made->labels.id = copy_label(&made->texts, labels->id);
    made->labels.ack = copy_label(&made->texts, labels->ack);
    return made;
}

static int emit_logged(lua_State *L, Notice *notice, bool is_counted, const EmitLabels *labels) {
    const Api *api = api_of(L);
    Op *op = op_new(OP_LOG);
    op->origin = (uint16_t)api->worker;
    op->notice = notice_retain(notice);
    if (notice->is_durable) {
        Buf row = BUF_NONE;
        notice_record_pack(notice, &row);
        op->value = bytes_copy(buf_str(&row));
        buf_deinit(&row);
    }
    op->waiter = emit_new(L, notice, labels);
    op->on_answer = on_logged;
    if (is_counted) op->on_tally = on_logged_tally;
    bus_ask_roster(api->bus, op);
    return task_yield(L);
}

/* --- at once --- */

static void on_tally(void *waiter, Tally *tally) {
    ask_finish(waiter, tally);
}

bool emit_is_full(const Api *api) {
    return metrics_sum(METRIC_queue_bytes) > (int64_t)api->net->limits.queues_bytes_max;
}

static void begin(const Api *api, Notice *notice) {
    metrics_add(METRIC_notifies_total, 1);
    notice->number = trace_number_event(api->registry->trace);
}

int emit_counted(lua_State *L, Notice *notice, bool is_dry, const EmitLabels *labels) {
    const Api *api = api_of(L);
    if (!is_dry) begin(api, notice);
    if (notice->is_durable && !is_dry) return emit_logged(L, notice, true, labels);
    notice_retain(notice);
    bus_notify_counted(api->bus, (unsigned)api->worker, notice, is_dry, on_tally,
                       ask_new(L, push_tally));
    if (!is_dry) record(api->registry->trace, notice, labels);
    notice_release(notice);
    return task_yield(L);
}

int emit(lua_State *L, Notice *notice, const EmitLabels *labels) {
    const Api *api = api_of(L);
    bool may_wait = task_may_wait(L);
    if (notice->is_durable && !may_wait) {
        notice_release(notice);
        task_check(L); /* raises */
    }
    begin(api, notice);
    bool must_log = notice->is_durable || (notice->is_kept && history_is_crowded(api->history));
    if (must_log && may_wait) return emit_logged(L, notice, false, labels);
    uint64_t sequence = bus_notify(api->bus, notice_retain(notice), NULL);
    record(api->registry->trace, notice, labels);
    notice_release(notice);
    return push_done(L, sequence);
}
