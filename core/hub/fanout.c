/* SPDX-License-Identifier: Apache-2.0
 *
 * Two marks by serial number keep the walk free of tables: a user node marked with this walk's serial
 * is excluded, a session stamped with it has had the event already (channels-efficient).
 *
 * Frames are queued without retaining; the Notice holds a reference all along, so the receivers'
 * references can be added in one step per target and frame.
 */
#include "hub/fanout.h"

#include "base/ensure.h"
#include "base/metrics.h"

enum { STRIDE = 6, LINE_BYTES = 64 };

/* What is touched of an object lies on its first line of the cache, or on its first two. */
#define FETCH(object) __builtin_prefetch(object)
#define FETCH_BOTH(object) (FETCH(object), FETCH((const char *)(object) + LINE_BYTES))

typedef struct Walk {
    const Registry *registry;
    const Notice *notice;
    const Message *message;
    Tally *tally; /* may be NULL */
    Trace *trace; /* may be NULL */
    uint32_t target;
    bool is_dry;
    bool is_choosy;    /* not every session gets it */
    uint64_t sequence; /* of the target's event; UINT64_MAX when it is not kept */
    uint64_t serial;
    Bytes *frame; /* the frame that `owed` receivers have queued */
    uint32_t owed;
    uint64_t delivered;
} Walk;

static void settle(Walk *walk) {
    if (walk->owed > 0) bytes_retain_many(walk->frame, walk->owed);
    walk->delivered += walk->owed;
    walk->owed = 0;
}

static void mark(const Walk *walk, const Subscriber *subscriber, TraceKind kind) {
    if (walk->trace == NULL) return;
    trace_mark(walk->trace, walk->notice->number, subscriber->number, kind);
}

/* For who is left out, and who had it from an earlier target. */
static bool shall_get(const Walk *walk, Subscriber *subscriber) {
    const Notice *notice = walk->notice;
    if (notice->except_session_count > 0 &&
        notice_excepts_session(notice, subscriber->class->id(subscriber)))
        return false;
    if (!notice->is_efficient) return true;
    bool is_first = subscriber->stamp != walk->serial;
    subscriber->stamp = walk->serial;
    return is_first;
}

static void drop(const Walk *walk, Subscriber *subscriber) {
    const Registry *registry = walk->registry;
    mark(walk, subscriber, TRACE_DROPPED);
    metrics_add(METRIC_dropped_total, 1);
    if (registry->on_drop == NULL) return;
    registry->on_drop(registry->drop_context, subscriber, walk->message);
}

static bool deliver_to_session(Walk *walk, Subscriber *subscriber) {
    if (subscriber->had >= walk->sequence) return false;
    if (walk->is_choosy && !shall_get(walk, subscriber)) return false;
    if (walk->is_dry) return true;
    Bytes *frame = subscriber->class->deliver(subscriber, walk->message);
    if (frame == NULL) {
        drop(walk, subscriber);
        return false;
    }
    mark(walk, subscriber, TRACE_QUEUED);
    if (frame != walk->frame) {
        settle(walk);
        walk->frame = frame;
    }
    walk->owed++;
    return true;
}

static inline void deliver_to_user(Walk *walk, const Node *user) {
    if (user->mark == walk->serial) return;
    uint32_t reached = 0;
    for (Subscriber *at = registry_sessions(user); at != NULL; at = at->sibling) {
        reached += deliver_to_session(walk, at);
    }
    if (walk->tally != NULL && reached > 0) {
        tally_count(walk->tally, walk->target, map_hash(node_name(user)), reached);
    }
}

/* Of thousands of sessions none is in the cache when its turn comes. Each step of the way to one is asked for
 * some deliveries ahead, behind the step that tells where it is. (Not in a function of its own, whose calls
 * compilers leave out, since it does nothing else.) */
static void deliver_to_channel(Walk *walk, const Node *channel) {
    const Edge *edges = node_edges(channel);
    for (uint32_t left = channel->edge_count; left > 0; left--, edges++) {
        if (left > 3 * STRIDE) FETCH(edges[3 * STRIDE].peer);
        if (left > 2 * STRIDE) FETCH_BOTH(registry_sessions(edges[2 * STRIDE].peer));
        if (left > STRIDE) FETCH_BOTH(registry_sessions(edges[STRIDE].peer)->transport);
        deliver_to_user(walk, edges->peer);
    }
}

static void mark_excepted(Registry *registry, const Notice *notice) {
    for (uint32_t i = 0; i < notice->except_count; i++) {
        Node *user = graph_find_user(&registry->graph, notice->except[i]);
        if (user != NULL) user->mark = registry->serial;
    }
}

static void deliver_target(Walk *walk, const Graph *graph, const Target *target) {
    walk->message = &walk->notice->messages[target->message];
    bool is_channel = walk->notice->kind == NOTICE_CHANNELS;
    const Node *node =
        is_channel ? graph_find_channel(graph, target->name) : graph_find_user(graph, target->name);
    if (node == NULL) return;
    if (is_channel) {
        deliver_to_channel(walk, node);
    } else {
        deliver_to_user(walk, node);
    }
    settle(walk);
}

void fanout_deliver(Registry *registry, const Notice *notice, bool is_dry, Tally *tally) {
    ensure(!registry->is_locked);
    registry->is_locked = true;
    registry->serial++;
    mark_excepted(registry, notice);
    Walk walk = {.registry = registry,
                 .notice = notice,
                 .tally = tally,
                 .trace = registry->trace,
                 .is_dry = is_dry,
                 .is_choosy = notice->is_efficient || notice->except_session_count > 0,
                 .serial = registry->serial};
    for (uint32_t i = 0; i < notice->target_count; i++) {
        walk.target = i;
        walk.sequence = notice->first_sequence > 0 ? notice_sequence(notice, i) : UINT64_MAX;
        deliver_target(&walk, &registry->graph, &notice->targets[i]);
    }
    if (notice->last_sequence > 0) registry->kept_sequence = notice->last_sequence;
    if (walk.delivered > 0) metrics_add(METRIC_deliveries_total, (int64_t)walk.delivered);
    registry->is_locked = false;
}
