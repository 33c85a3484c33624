/* SPDX-License-Identifier: Apache-2.0
 *
 * online: who is online: the users with a live session, and on which workers. A Presence hangs on the
 * user's node in the roster's graph while he has a session. Roster's thread only.
 */
#ifndef HUB_ONLINE_H
#define HUB_ONLINE_H

#include <stdint.h>

#include "base/list.h"
#include "hub/graph.h"

typedef struct Presence {
    List link; /* in Online.users */
    Node *user;
    uint32_t sessions;
    uint32_t per_worker[]; /* sessions on each worker */
} Presence;

typedef struct Online {
    List users;
    uint32_t user_count;
    uint32_t session_count;
    unsigned worker_count;
} Online;

void online_init(Online *online, unsigned worker_count);
void online_deinit(Online *online); /* frees the Presences; nodes are the graph's */

/* A session of the user begins or ends on the worker. */
void online_join(Online *online, Node *user, unsigned worker);
void online_leave(Online *online, Node *user, unsigned worker);

/* NULL: the user is offline. */
static inline const Presence *online_find(const Node *user) {
    return user->owner;
}

#endif
