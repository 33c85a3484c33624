/* SPDX-License-Identifier: Apache-2.0
 *
 * roster: the standing subscriptions of all users, and who is online: an island of its own, one thread
 * with an inbox. It carries out the roster's ops of op.h: commits changes to the store in groups, tells
 * the workers on which the users are live, and only then answers. It owns the store.
 */
#ifndef HUB_ROSTER_H
#define HUB_ROSTER_H

#include "data/store.h"
#include "hub/bus.h"

typedef struct Roster Roster;

typedef struct RosterLimits {
    uint32_t subscriptions_per_user_max;
    uint32_t subscriptions_max;
    uint32_t sessions_per_user_max;
    uint32_t sessions_max;
    uint32_t offline_grace_ms; /* from the end of the last session to being offline */
} RosterLimits;

/* Loads the store (takes it, also on failure) and starts the thread; bus->roster is set. `rules` say which
 * channels keep events, and which of them durably; NULL: none. Borrows the bus. */
WARN_UNUSED int roster_start(Bus *bus, Store *store, const RosterLimits *limits,
                             const RetentionRules *rules, Roster **roster);

/* Carries out what lies in the inbox, ends the thread and the journal and closes the store. No worker may run
 * any more. */
void roster_stop(Roster *roster);

/* The same without a thread, where the clock is held: the caller is the island, and turns it. A turn drops
 * who is gone and carries out what lies in the inbox; false: there was nothing to do. */
WARN_UNUSED int roster_open(Bus *bus, Store *store, const RosterLimits *limits,
                            const RetentionRules *rules, Roster **roster);
bool roster_turn(Roster *roster);
void roster_close(Roster *roster);

/* When roster_turn has to do without mail, monotonic; 0: never. */
uint64_t roster_next_deadline(const Roster *roster);

#endif
