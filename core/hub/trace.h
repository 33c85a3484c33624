/* SPDX-License-Identifier: Apache-2.0
 *
 * trace: what one worker did with events, to tell later why somebody saw one or not: the events that it
 * emitted, to which of its sessions it gave which event, the sessions that ended, and the confirmations that
 * came from them. Four rings of fixed size, the oldest records go. A delivery costs one store of eight bytes.
 * Worker's thread only.
 */
#ifndef HUB_TRACE_H
#define HUB_TRACE_H

#include <stdint.h>

#include "base/buf.h"

/* SUPERSEDED, EXPIRED: it was queued or replayed before, and then taken out of the queue again. */
typedef enum { TRACE_QUEUED, TRACE_DROPPED, TRACE_REPLAYED, TRACE_SUPERSEDED, TRACE_EXPIRED } TraceKind;

enum { TRACE_KIND_SHIFT = 28, TRACE_SESSION_MASK = (1 << TRACE_KIND_SHIFT) - 1 };

typedef struct TraceMark {
    uint32_t event;   /* number of the event */
    uint32_t session; /* TraceKind above, number of the session below */
} TraceMark;

/* Records one behind the other, none over the end of the memory. */
typedef struct TraceRing {
    char *data;
    uint32_t size;
    uint64_t begin, end; /* bytes that ever left and came; records lie between */
} TraceRing;

typedef struct Trace {
    TraceMark *marks;
    uint32_t mark_mask;  /* their number less one */
    uint64_t mark_count; /* that ever were made */
    TraceRing events;
    TraceRing sessions;
    TraceRing confirmations;
    uint32_t last_event; /* the worker above, its count below */
    uint32_t last_session;
} Trace;

/* An event as it was emitted. Texts are cut to fit. */
typedef struct TraceEvent {
    uint32_t number;
    bool by_users;
    bool is_efficient;
    bool is_cut;   /* not all names are in the last three */
    int64_t at_ms; /* wall clock */
    uint64_t first_sequence, last_sequence;
    Str name;
    Str origin;  /* who asked */
    Str id;      /* idempotency key */
    Str ack;     /* the number by which it is confirmed */
    Str targets; /* names, each with a line feed behind it; so are the next two */
    Str except;
    Str except_sessions;
} TraceEvent;

/* A session that ended. */
typedef struct TraceSession {
    uint32_t number;
    uint16_t code;
    uint32_t waiting;  /* frames that the kernel had not taken */
    int64_t closed_ms; /* wall clock */
    int64_t since_ms;  /* wall clock */
    Str user;
    Str id;
    Str reason;
} TraceSession;

/* A session confirmed an event. */
typedef struct TraceConfirmation {
    int64_t at_ms; /* wall clock */
    Str session;   /* its id */
    Str ack;
} TraceConfirmation;

/* `size` bytes for all; gives. */
Trace *trace_new(unsigned worker, uint64_t size);
void trace_free(Trace *trace); /* takes; NULL is fine */

/* Numbers for what comes next; they wrap. */
uint32_t trace_number_event(Trace *trace);
uint32_t trace_number_session(Trace *trace);

void trace_add_event(Trace *trace, const TraceEvent *event);
void trace_add_session(Trace *trace, const TraceSession *session);
void trace_add_confirmation(Trace *trace, const TraceConfirmation *confirmation);

/* Walk the records, the oldest first; what the visitor gets borrows from the ring. */
typedef void (*TraceOnEvent)(void *context, const TraceEvent *event);
typedef void (*TraceOnSession)(void *context, const TraceSession *session);
typedef void (*TraceOnConfirmation)(void *context, const TraceConfirmation *confirmation);
void trace_each_event(const Trace *trace, TraceOnEvent on_event, void *context);
void trace_each_session(const Trace *trace, TraceOnSession on_session, void *context);
void trace_each_confirmation(const Trace *trace, TraceOnConfirmation on_confirmation, void *context);

static inline void trace_mark(Trace *trace, uint32_t event, uint32_t session, TraceKind kind) {
    trace->marks[trace->mark_count++ & trace->mark_mask] =
        (TraceMark){event, session | (uint32_t)kind << TRACE_KIND_SHIFT};
}

#endif
