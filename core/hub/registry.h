/* SPDX-License-Identifier: Apache-2.0
 *
 * registry: who listens here: the live sessions of one worker, by user, and the channels of those
 * users. What the roster says (CHANGE ops, the answer to a JOIN) is applied in the order it comes. No
 * I/O, no clock, no lock. Borrows its Subscribers. Worker's thread only.
 */
#ifndef HUB_REGISTRY_H
#define HUB_REGISTRY_H

#include "hub/graph.h"
#include "hub/names.h"
#include "hub/subscriber.h"
#include "hub/trace.h"

/* Told of an event that a session did not get; the registry is locked meanwhile. */
typedef void (*RegistryOnDrop)(void *context, Subscriber *subscriber, const Message *message);

typedef struct Registry {
    Graph graph;            /* node->owner of a user is the first of his Subscribers */
    uint64_t serial;        /* of the last walk that marked nodes or stamped sessions */
    uint64_t kept_sequence; /* of the last kept event that was fanned out here */
    Trace *trace;           /* borrowed; NULL: nothing is recorded */
    Subscriber *coming; /* sessions of a known user that are not live yet, by `sibling`, oldest first */
    Subscriber **coming_end; /* where the next one goes */
    uint32_t session_count;
    bool is_locked;         /* while fan-out walks: nothing may be added or removed */
    RegistryOnDrop on_drop; /* NULL: nobody asks */
    void *drop_context;
} Registry;

void registry_init(Registry *registry, uint64_t kept_sequence);
void registry_deinit(Registry *registry); /* no Subscriber may be left */

/* It is known whose session it is, but it gets nothing before registry_add. Until then whoever closes the
 * user's sessions finds it in `coming`. */
void registry_expect(Registry *registry, Subscriber *subscriber);

/* The session of `user` becomes live; `channels` are all channels of the user. */
void registry_add(Registry *registry, Subscriber *subscriber, Str user, const Names *channels);
void registry_remove(Registry *registry,
                     Subscriber *subscriber); /* also one that is coming, or neither */

/* Those of `users` that have a session here join or leave the channels. */
void registry_change(Registry *registry, bool is_add, const Names *users, const Names *channels);

/* The user's sessions here, by `sibling`; NULL when there is none. */
Subscriber *registry_find_user(const Registry *registry, Str user);

static inline Subscriber *registry_sessions(const Node *user) {
    return user->owner;
}

#endif
