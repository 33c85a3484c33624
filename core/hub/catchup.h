/* SPDX-License-Identifier: Apache-2.0
 *
 * catchup: what a user missed in his channels since an event whose id his client still has: all of it, in
 * order, each event once, or nothing and the reason. Worker's thread; see architecture.md, "Catch-up", for
 * why nothing is lost or doubled between it and the live events.
 */
#ifndef HUB_CATCHUP_H
#define HUB_CATCHUP_H

#include "hub/history.h"
#include "hub/names.h"

/* Why what was missed cannot be brought. */
typedef enum {
    CATCHUP_WHOLE,
    CATCHUP_UNKNOWN, /* the id is of another life of the server, or of none */
    CATCHUP_LOST,    /* something is not kept any more */
    CATCHUP_TOO_MANY /* more than the limits */
} CatchupResult;

typedef struct CatchupQuery {
    Str user;
    Str session;                 /* the new one's id */
    const Names *channels;       /* of the user */
    const RetentionRules *rules; /* which channels have history */
    Str after;                   /* the id */
    uint64_t upto;               /* what follows comes live: Registry's kept_sequence */
    uint64_t now_ms;             /* monotonic */
    uint32_t events_max;
    uint64_t bytes_max;
} CatchupQuery;

typedef struct Catchup {
    CatchupResult result;
    uint64_t had;      /* sequence of the id: up to it the client had everything; 0 unless WHOLE */
    MissedList missed; /* oldest first; empty unless WHOLE; missed_deinit when done */
} Catchup;

void catchup_find(History *history, const CatchupQuery *query, Catchup *catchup);

static inline const Message *missed_message(const Missed *missed) {
    return &missed->notice->messages[missed->notice->targets[missed->target].message];
}

#endif
