/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger: changes to the standing subscriptions, many in one transaction: each is applied to the graph
 * at once and written to the store; if the commit fails all are taken back. Order of use: begin, apply
 * for each change, commit, then end, which frees the nodes that are left with nothing. Owned by the
 * roster; its thread only.
 */
#ifndef HUB_LEDGER_H
#define HUB_LEDGER_H

#include "data/store.h"
#include "hub/graph.h"
#include "hub/journal.h"

/* The users a change means, as asked for by name or found by their channels. */
typedef struct Crowd {
    Node **users; /* each once; valid until ledger_end */
    size_t count;
    size_t cap;
} Crowd;

typedef struct Undo {
    Node *user;
    Node *channel;
    bool was_added;
} Undo;

typedef struct Ledger {
    Graph *graph;           /* borrowed */
    Store *store;           /* borrowed */
    const Journal *journal; /* borrowed; marks what is subscribed to */
    uint32_t subscriptions_per_user_max;
    uint64_t subscriptions_max; /* of all users; no limit after ledger_init */
    uint64_t serial;            /* marks nodes that were met */
    bool is_dry;                /* the change that is applied: the store does not hear of it */
    Str by;                     /* the change that is applied: who asked */
    Undo *undos;                /* of the open transaction */
    size_t undo_count;
    size_t undo_cap;
    Crowd touched; /* nodes that may be left with nothing, users and channels, perhaps repeated */
} Ledger;

void ledger_init(Ledger *ledger, Graph *graph, const Journal *journal,
                 uint32_t subscriptions_per_user_max);
void ledger_deinit(Ledger *ledger);

WARN_UNUSED int ledger_begin(Ledger *ledger);

/* Applies a SUBSCRIBE or UNSUBSCRIBE: fills the op's error (0 or ERR_LIMIT) and counts, and the crowd
 * (crowd_deinit when done). A refused or dry one leaves nothing behind. The result is the store's failure. */
WARN_UNUSED int ledger_apply(Ledger *ledger, Op *op, Crowd *crowd);

/* Commits, or takes everything back when `err` is not 0 or the store fails; gives the failure. */
WARN_UNUSED int ledger_commit(Ledger *ledger, int err);
void ledger_end(Ledger *ledger);

void crowd_deinit(Crowd *crowd);

#endif
