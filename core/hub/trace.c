/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/trace.h"

#include "base/mem.h"

enum { TEXT_MAX = 1024, WORKER_SHIFT = 24, MARKS_MIN = 64, RING_MIN = 8 * TEXT_MAX };

static void ring_init(TraceRing *ring, uint64_t size) {
    if (size < RING_MIN) size = RING_MIN;
    if (size > 1U << 30) size = 1U << 30;
    *ring = (TraceRing){.data = mem_alloc(size), .size = (uint32_t)size};
}

/* Each record begins with its length, this word included; 0: the rest of the memory is left out. */
static uint32_t length_at(const TraceRing *ring, uint64_t at) {
    uint32_t place = (uint32_t)(at % ring->size);
    uint32_t len = 0;
    if (ring->size - place >= sizeof len) memcpy(&len, ring->data + place, sizeof len);
    return len;
}

static uint64_t next_of(const TraceRing *ring, uint64_t at) {
    uint32_t len = length_at(ring, at);
    return at + (len > 0 ? len : ring->size - at % ring->size);
}

static void make_room(TraceRing *ring, uint64_t end) {
    while (end - ring->begin > ring->size) ring->begin = next_of(ring, ring->begin);
}

static char *ring_add(TraceRing *ring, uint32_t len) {
    uint32_t place = (uint32_t)(ring->end % ring->size);
    if (ring->size - place < len) {
        make_room(ring, ring->end + ring->size - place);
        if (ring->size - place >= sizeof len) memset(ring->data + place, 0, sizeof len);
        ring->end += ring->size - place;
        place = 0;
    }
    make_room(ring, ring->end + len);
    memcpy(ring->data + place, &len, sizeof len);
    ring->end += len;
    return ring->data + place + sizeof len;
}

/* --- records: a struct whose texts are lengths, then the texts --- */

/* Cuts them, too. */
static uint32_t size_of_texts(Str *const *texts, int count) {
    uint32_t size = 0;
    for (int i = 0; i < count; i++) {
        if (texts[i]->len > TEXT_MAX) texts[i]->len = TEXT_MAX;
        size += (uint32_t)texts[i]->len;
    }
    return size;
}

/* The texts are those of the record. */
static void add(TraceRing *ring, const void *record, uint32_t record_len, Str *const *texts,
                int count) {
    uint32_t len = (uint32_t)sizeof len + record_len + size_of_texts(texts, count);
    char *at = ring_add(ring, len);
    memcpy(at, record, record_len);
    at += record_len;
    for (int i = 0; i < count; i++) {
        if (texts[i]->len > 0) memcpy(at, texts[i]->data, texts[i]->len);
        at += texts[i]->len;
    }
}

/* Points the texts, of which the record holds the lengths, to where they lie. */
static void place_texts(const char *at, Str *const *texts, int count) {
    for (int i = 0; i < count; i++) {
        texts[i]->data = at;
        at += texts[i]->len;
    }
}

enum { EVENT_TEXTS_COUNT = 7, SESSION_TEXTS_COUNT = 3, CONFIRMATION_TEXTS_COUNT = 2 };

#define EVENT_TEXTS(event)                                                                            \
    {                                                                                                 \
        &(event).name, &(event).origin, &(event).id, &(event).ack, &(event).targets, &(event).except, \
            &(event).except_sessions                                                                  \
    }
#define SESSION_TEXTS(session) \
    { &(session).user, &(session).id, &(session).reason }
#define CONFIRMATION_TEXTS(confirmation) \
    { &(confirmation).session, &(confirmation).ack }

void trace_add_event(Trace *trace, const TraceEvent *event) {
    TraceEvent copy = *event;
    Str *const texts[] = EVENT_TEXTS(copy);
    add(&trace->events, &copy, sizeof copy, texts, EVENT_TEXTS_COUNT);
}

void trace_add_session(Trace *trace, const TraceSession *session) {
    TraceSession copy = *session;
    Str *const texts[] = SESSION_TEXTS(copy);
    add(&trace->sessions, &copy, sizeof copy, texts, SESSION_TEXTS_COUNT);
}

void trace_add_confirmation(Trace *trace, const TraceConfirmation *confirmation) {
    TraceConfirmation copy = *confirmation;
    Str *const texts[] = CONFIRMATION_TEXTS(copy);
    add(&trace->confirmations, &copy, sizeof copy, texts, CONFIRMATION_TEXTS_COUNT);
}

/* Copies the record at or behind *at, but for its texts, and moves *at behind it. Gives where the texts lie, NULL
 * when there is no record more. */
static const char *read_next(const TraceRing *ring, uint64_t *at, void *record, size_t len) {
    while (*at < ring->end) {
        const char *data = ring->data + *at % ring->size + sizeof(uint32_t);
        bool is_record = length_at(ring, *at) > 0;
        *at = next_of(ring, *at);
        if (!is_record) continue;
        memcpy(record, data, len);
        return data + len;
    }
    return NULL;
}

void trace_each_event(const Trace *trace, TraceOnEvent on_event, void *context) {
    TraceEvent event;
    Str *const texts[] = EVENT_TEXTS(event);
    uint64_t at = trace->events.begin;
    const char *data;
    while ((data = read_next(&trace->events, &at, &event, sizeof event)) != NULL) {
        place_texts(data, texts, EVENT_TEXTS_COUNT);
        on_event(context, &event);
    }
}

void trace_each_session(const Trace *trace, TraceOnSession on_session, void *context) {
    TraceSession session;
    Str *const texts[] = SESSION_TEXTS(session);
    uint64_t at = trace->sessions.begin;
    const char *data;
    while ((data = read_next(&trace->sessions, &at, &session, sizeof session)) != NULL) {
        place_texts(data, texts, SESSION_TEXTS_COUNT);
        on_session(context, &session);
    }
}

void trace_each_confirmation(const Trace *trace, TraceOnConfirmation on_confirmation, void *context) {
    TraceConfirmation one;
    Str *const texts[] = CONFIRMATION_TEXTS(one);
    uint64_t at = trace->confirmations.begin;
    const char *data;
    while ((data = read_next(&trace->confirmations, &at, &one, sizeof one)) != NULL) {
        place_texts(data, texts, CONFIRMATION_TEXTS_COUNT);
        on_confirmation(context, &one);
    }
}

/* --- numbers --- */

uint32_t trace_number_event(Trace *trace) {
    uint32_t mask = (1U << WORKER_SHIFT) - 1;
    trace->last_event = (trace->last_event & ~mask) | ((trace->last_event + 1) & mask);
    return trace->last_event;
}

uint32_t trace_number_session(Trace *trace) {
    trace->last_session = (trace->last_session + 1) & TRACE_SESSION_MASK;
    return trace->last_session;
}

Trace *trace_new(unsigned worker, uint64_t size) {
    Trace *trace = mem_zalloc(sizeof *trace);
    uint32_t count = MARKS_MIN;
    while (count < 1U << 27 && (uint64_t)count * 2 * sizeof(TraceMark) <= size / 2) count *= 2;
    trace->marks = mem_zalloc(count * sizeof(TraceMark));
    trace->mark_mask = count - 1;
    trace->last_event = (uint32_t)worker << WORKER_SHIFT;
    ring_init(&trace->events, size / 16 * 5);
    ring_init(&trace->sessions, size / 8);
    ring_init(&trace->confirmations, size / 16);
    return trace;
}

void trace_free(Trace *trace) {
    if (trace == NULL) return;
    mem_free(trace->marks);
    mem_free(trace->events.data);
    mem_free(trace->sessions.data);
    mem_free(trace->confirmations.data);
    mem_free(trace);
}
