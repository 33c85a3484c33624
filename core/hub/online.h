/* SPDX-License-Identifier: Apache-2.0
 *
 * online: who is online: the users with a live session, and on which workers. A user whose last session
 * ended is kept for a grace time; if he comes back within it he was never away. A Presence hangs on the
 * user's node in the roster's graph meanwhile. Times are handed in. Roster's thread only.
 */
#ifndef HUB_ONLINE_H
#define HUB_ONLINE_H

#include <stdint.h>

#include "base/list.h"
#include "hub/graph.h"

enum { ONLINE_WORKERS_MAX = 256 };

typedef struct Presence {
    List link; /* in Online.users, or in Online.leaving */
    Node *user;
    uint64_t generation;    /* grows with each coming online, of anybody */
    uint64_t deadline_ms;   /* leaving: when he is offline; monotonic */
    uint32_t sessions : 24; /* 0: leaving */
    uint32_t worker : 8;    /* of the last join or leave */
    uint32_t per_worker[];  /* sessions on each worker */
} Presence;

typedef struct Online {
    Pool pool; /* where the Presences lie */
    List users;
    List leaving; /* the one whose deadline comes first, first: the grace is the same for all */
    uint32_t user_count;
    uint32_t session_count;
    uint32_t grace_ms;
    uint64_t generation;
    unsigned worker_count;
} Online;

void online_init(Online *online, unsigned worker_count, uint32_t grace_ms);
void online_deinit(Online *online); /* frees the Presences; nodes are the graph's */

/* A session of the user begins on the worker. Gives his Presence when he comes online by it, NULL when
 * he was online, or leaving. */
const Presence *online_join(Online *online, Node *user, unsigned worker);

/* A session ends. */
void online_leave(Online *online, Node *user, unsigned worker, uint64_t now_ms);

/* The first one whose grace is over, or NULL; online_drop frees it, and leaves the node without owner. */
const Presence *online_first_gone(const Online *online, uint64_t now_ms);
void online_drop(Online *online, const Presence *presence);

/* Gives back what the Presences that are gone took. For quiet moments. */
void online_trim(Online *online);

/* When to ask online_first_gone again; 0: nobody is leaving. */
uint64_t online_next_deadline(const Online *online);

/* NULL: the user has no session. */
static inline const Presence *online_find(const Node *user) {
    const Presence *presence = user->owner;
    return presence != NULL && presence->sessions > 0 ? presence : NULL;
}

#endif
