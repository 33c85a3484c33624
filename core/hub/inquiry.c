/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a frame was written is not recorded: of the frames that a session was given, the last ones wait
 * still (or did when it ended), as many as there are in its queue; all before them were taken by the
 * kernel. Frames that are no events count there too, so what is said to be written was written.
 */
#include "hub/inquiry.h"

#include "base/json.h"
#include "base/mem.h"

enum { SESSIONS_MAX = 256 };

static void add_text(Buf *out, const char *name, Str text) {
    buf_addf(out, ",\"%s\":", name);
    json_encode_string(text, out);
}

static void add_names(Buf *out, const char *name, Str rest) {
    Str one;
    buf_addf(out, ",\"%s\":[", name);
    for (bool is_first = true; rest.len > 0; is_first = false) {
        if (!str_split(rest, '\n', &one, &rest)) rest = STR_NONE;
        if (!is_first) buf_add_char(out, ',');
        json_encode_string(one, out);
    }
    buf_add_char(out, ']');
}

/* --- events --- */

typedef struct Search {
    const History *history;
    Str wanted;
    uint64_t sequence; /* of the wanted id; 0: it is none */
    Buf *out;          /* the newest that was found */
} Search;

static bool is_wanted(const Search *search, const TraceEvent *event) {
    if (search->sequence > 0 && event->first_sequence > 0) {
        return search->sequence >= event->first_sequence && search->sequence <= event->last_sequence;
    }
    return (event->id.len > 0 && str_equal(event->id, search->wanted)) ||
           str_equal(event->name, search->wanted);
}

static void on_event(void *context, const TraceEvent *event) {
    const Search *search = context;
    if (!is_wanted(search, event)) return;
    Buf *out = search->out;
    buf_clear(out);
    buf_addf(out, "{\"number\":%u,\"at\":%lld,\"efficient\":%s", event->number, (long long)event->at_ms,
             event->is_efficient ? "true" : "false");
    add_text(out, "event", event->name);
    add_text(out, "by", event->origin);
    if (event->id.len > 0) add_text(out, "key", event->id);
    if (event->ack.len > 0) add_text(out, "ack", event->ack);
    if (event->last_sequence > 0) {
        char id[MESSAGE_ID_LEN];
        history_encode_id(search->history, event->last_sequence, id);
        add_text(out, "id", str_make(id, sizeof id));
    }
    add_names(out, event->by_users ? "users" : "channels", event->targets);
    add_names(out, "except", event->except);
    add_names(out, "exceptSessions", event->except_sessions);
    if (event->is_cut) buf_add(out, STR(",\"cut\":true"));
    buf_add_char(out, '}');
}

static void find_event(const Trace *trace, const History *history, Str wanted, Buf *out) {
    Search search = {history, wanted, 0, out};
    if (history == NULL || !history_parse_id(history, wanted, &search.sequence)) search.sequence = 0;
    buf_add(out, STR("null"));
    trace_each_event(trace, on_event, &search);
}

/* --- sessions --- */

typedef struct Session {
    uint32_t number;
    uint32_t waiting;
    int64_t later; /* frames that it was given behind those looked at, and that stayed */
    uint32_t
        undone; /* copies of the event that were taken out of its queue, and of which that is not read yet */
    int64_t since_ms;
    int64_t closed_ms;    /* 0: it is live */
    int64_t confirmed_ms; /* 0: it did not confirm the event */
    uint16_t code;
    Buf got; /* of the event, the newest first */
    Str id;
    Str reason;
} Session;

typedef struct Sessions {
    Str user;
    Str ack;
    uint32_t count;
    Session items
        [SESSIONS_MAX]; /* the newest first among the live, then those that ended, the oldest first */
} Sessions;

static void on_session(void *context, const TraceSession *ended) {
    Sessions *sessions = context;
    if (!str_equal(ended->user, sessions->user)) return;
    if (sessions->count == SESSIONS_MAX) return;
    sessions->items[sessions->count++] = (Session){.number = ended->number,
                                                   .waiting = ended->waiting,
                                                   .since_ms = ended->since_ms,
                                                   .closed_ms = ended->closed_ms,
                                                   .code = ended->code,
                                                   .id = ended->id,
                                                   .reason = ended->reason};
}

static void collect_sessions(const Registry *registry, Sessions *sessions) {
    const Subscriber *one = registry_find_user(registry, sessions->user);
    for (; one != NULL && sessions->count < SESSIONS_MAX; one = one->sibling) {
        Session *session = &sessions->items[sessions->count++];
        *session = (Session){.number = one->number, .id = one->class->id(one)};
        one->class->describe(one, &session->since_ms, &session->waiting);
    }
    trace_each_session(registry->trace, on_session, sessions);
}

static void add_got(Session *session, const char *how, const char *more) {
    buf_addf(&session->got, "%s{\"how\":\"%s\"%s}", session->got.len > 0 ? "," : "", how, more);
}

/* Frames that were taken out of the queue again are not among those that wait. Which ones lay behind the
 * event is not looked at: as if all did, so that what is said to be written was written. */
static void note_undone(Session *session, bool is_wanted, TraceKind kind) {
    session->later--;
    if (!is_wanted) return;
    session->undone++;
    add_got(session, "dropped",
            kind == TRACE_SUPERSEDED ? ",\"reason\":\"superseded\"" : ",\"reason\":\"expired\"");
}

static void note_given(Session *session, TraceKind kind) {
    bool is_written = session->waiting == 0 || session->later >= session->waiting;
    if (session->undone > 0) {
        session->undone--;
    } else {
        add_got(session, kind == TRACE_REPLAYED ? "replayed" : "queued",
                is_written ? ",\"written\":true" : ",\"written\":false");
    }
}

static void note_mark(Session *session, bool is_wanted, TraceKind kind) {
    switch (kind) {
    case TRACE_DROPPED:
        if (is_wanted) add_got(session, "dropped", "");
        break;
    case TRACE_SUPERSEDED:
    case TRACE_EXPIRED: note_undone(session, is_wanted, kind); break;
    case TRACE_QUEUED:
    case TRACE_REPLAYED:
        if (is_wanted) note_given(session, kind);
        session->later++;
    }
}

static void read_marks(const Trace *trace, uint32_t event, Sessions *sessions) {
    uint64_t oldest =
        trace->mark_count > trace->mark_mask ? trace->mark_count - trace->mark_mask - 1 : 0;
    for (uint64_t at = trace->mark_count; at > oldest; at--) {
        TraceMark mark = trace->marks[(at - 1) & trace->mark_mask];
        uint32_t number = mark.session & TRACE_SESSION_MASK;
        for (uint32_t i = 0; i < sessions->count; i++) {
            if (sessions->items[i].number != number) continue;
            note_mark(&sessions->items[i], mark.event == event, mark.session >> TRACE_KIND_SHIFT);
        }
    }
}

static void on_confirmation(void *context, const TraceConfirmation *confirmation) {
    Sessions *sessions = context;
    if (!str_equal(confirmation->ack, sessions->ack)) return;
    for (uint32_t i = 0; i < sessions->count; i++) {
        Session *session = &sessions->items[i];
        if (str_equal(session->id, confirmation->session)) session->confirmed_ms = confirmation->at_ms;
    }
}

static void add_session(Buf *out, const Session *session) {
    buf_addf(out, "{\"since\":%lld,\"waiting\":%u", (long long)session->since_ms, session->waiting);
    add_text(out, "id", session->id);
    if (session->closed_ms != 0) {
        buf_addf(out, ",\"closed\":%lld,\"code\":%u", (long long)session->closed_ms, session->code);
        add_text(out, "reason", session->reason);
    }
    if (session->confirmed_ms != 0) {
        buf_addf(out, ",\"confirmed\":%lld", (long long)session->confirmed_ms);
    }
    buf_add(out, STR(",\"got\":["));
    buf_add(out, buf_str(&session->got));
    buf_add(out, STR("]}"));
}

static void find_sessions(const Registry *registry, const Op *op, Buf *out) {
    uint32_t event = (uint32_t)op->generation;
    Sessions *sessions = mem_zalloc(sizeof *sessions);
    sessions->user = op_name(op);
    sessions->ack = op_after(op);
    collect_sessions(registry, sessions);
    if (event != 0 && sessions->count > 0) read_marks(registry->trace, event, sessions);
    if (sessions->ack.len > 0) trace_each_confirmation(registry->trace, on_confirmation, sessions);
    buf_add_char(out, '[');
    for (uint32_t i = 0; i < sessions->count; i++) {
        if (i > 0) buf_add_char(out, ',');
        add_session(out, &sessions->items[i]);
        buf_deinit(&sessions->items[i].got);
    }
    buf_add_char(out, ']');
    mem_free(sessions);
}

void inquiry_run(const Registry *registry, const History *history, Op *op) {
    Buf out = BUF_NONE;
    if (op->name == NULL) {
        find_event(registry->trace, history, op_after(op), &out);
    } else {
        find_sessions(registry, op, &out);
    }
    op->value = bytes_copy(buf_str(&out));
    buf_deinit(&out);
}
