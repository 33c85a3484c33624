/* SPDX-License-Identifier: Apache-2.0
 *
 * notice: what one notify emits: to which channels or users, which message for each, and who is left
 * out. Made whole by the worker that was asked, then read by all workers, never changed but by History.
 * Counted, the count is atomic: one reference per inbox it lies in, one while History keeps it.
 */
#ifndef HUB_NOTICE_H
#define HUB_NOTICE_H

#include <stdatomic.h>
#include <stdint.h>

#include "hub/message.h"
#include "hub/retention.h"

typedef enum { NOTICE_CHANNELS, NOTICE_USERS } NoticeKind;

typedef struct Target {
    Str name;         /* the channel or user */
    uint32_t message; /* index into messages */
    Retention keep;   /* what the channel keeps */
} Target;

typedef struct Notice {
    atomic_uint_least32_t refs;
    NoticeKind kind;
    bool is_efficient; /* each session gets it once, by the first target that reaches it */
    uint32_t target_count;
    uint32_t message_count;
    uint32_t except_count;
    uint32_t except_session_count;
    Target *targets; /* in request order; all arrays lie in the block of the Notice */
    Message *messages;
    Str *except;             /* users that get nothing */
    Str *except_sessions;    /* ids of sessions whose clients get nothing */
    Str key;                 /* only the newest event of a key matters; STR_NONE: it has none */
    uint64_t ends_ms;        /* monotonic; from then on it is worth nothing; 0: never */
    uint32_t number;         /* in the Traces of all workers; 0: none */
    bool is_kept;            /* by a channel of it; then its messages have ids */
    bool is_durable;         /* by a durable one */
    uint64_t position;       /* in the Journal, which sets it; 0: it is not in there */
    uint64_t first_sequence; /* given by History; 0: none */
    uint64_t last_sequence;
    uint32_t kept_count; /* guarded by the lock of History, as is kept_bytes */
    uint64_t kept_bytes;
} Notice;

typedef struct NoticeSpec {
    NoticeKind kind;
    bool is_efficient;
    const Str *targets; /* borrowed, copied; so is except */
    uint32_t target_count;
    const Str *except;
    uint32_t except_count;
    const Str *except_sessions;
    uint32_t except_session_count;
    uint32_t message_count;
    Str key; /* borrowed, copied */
    uint64_t ends_ms;
} NoticeSpec;

/* Makes a Notice with copies of the names and room for the messages, which the caller fills by
 * message_init before anybody else sees it. Every target's message index starts as 0. Gives. */
Notice *notice_new(const NoticeSpec *spec);

/* A number for the key and for whom the message is, in any order: of what has the same one only the newest
 * matters. 0: it has no key. */
uint64_t notice_key(const Notice *notice, uint32_t message);

/* The channels keep the event as the rules say. */
void notice_keep(Notice *notice, const RetentionRules *rules);
Notice *notice_retain(Notice *notice);
void notice_release(Notice *notice);

/* Whether the session with this id is left out: by its own, or by that of another session of its client. */
bool notice_excepts_session(const Notice *notice, Str id);

/* The sequence by which a target's event is known. With is_efficient all have the same: whoever has one
 * of them has had the event. */
static inline uint64_t notice_sequence(const Notice *notice, uint32_t target) {
    return notice->first_sequence + (notice->is_efficient ? 0 : notice->targets[target].message);
}

#endif
