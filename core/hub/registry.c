/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/registry.h"

#include <assert.h>

#include "base/ensure.h"
#include "base/metrics.h"

void registry_init(Registry *registry, uint64_t kept_sequence) {
    graph_init(&registry->graph);
    registry->serial = 0;
    registry->kept_sequence = kept_sequence;
    registry->trace = NULL;
    registry->coming = NULL;
    registry->coming_end = &registry->coming;
    registry->session_count = 0;
    registry->is_locked = false;
    registry->on_drop = NULL;
}

void registry_deinit(Registry *registry) {
    ensure(registry->session_count == 0 && registry->coming == NULL);
    graph_deinit(&registry->graph);
}

/* Runs what may make or end channels, and keeps the gauge of live channels true. */
static void join_channels(Graph *graph, Node *user, const Names *channels) {
    int64_t before = (int64_t)graph->channels.count;
    for (uint32_t i = 0; i < channels->count; i++) {
        graph_add_edge(graph, user, graph_add_channel(graph, channels->items[i]));
    }
    metrics_add(METRIC_channels_live, (int64_t)graph->channels.count - before);
}

static void leave_channels(Graph *graph, Node *user, const Names *channels) {
    int64_t before = (int64_t)graph->channels.count;
    for (uint32_t i = 0; i < channels->count; i++) {
        Node *channel = graph_find_channel(graph, channels->items[i]);
        if (channel == NULL) continue;
        graph_remove_edge(graph, user, channel);
        graph_prune(graph, channel);
    }
    metrics_add(METRIC_channels_live, (int64_t)graph->channels.count - before);
}

void registry_expect(Registry *registry, Subscriber *subscriber) {
    assert(subscriber->user == NULL && !subscriber->is_coming);
    subscriber->is_coming = true;
    *registry->coming_end = subscriber;
    registry->coming_end = &subscriber->sibling;
}

/* They come and go nearly in one order, so it is one of the first. */
static void remove_coming(Registry *registry, Subscriber *subscriber) {
    if (!subscriber->is_coming) return;
    Subscriber **at = &registry->coming;
    while (*at != subscriber) at = &(*at)->sibling;
    *at = subscriber->sibling;
    if (registry->coming_end == &subscriber->sibling) registry->coming_end = at;
    subscriber->sibling = NULL;
    subscriber->is_coming = false;
}

void registry_add(Registry *registry, Subscriber *subscriber, Str user, const Names *channels) {
    ensure(!registry->is_locked);
    assert(subscriber->user == NULL);
    remove_coming(registry, subscriber);
    Node *node = graph_add_user(&registry->graph, user);
    subscriber->user = node;
    if (registry->trace != NULL) subscriber->number = trace_number_session(registry->trace);
    subscriber->sibling = node->owner;
    node->owner = subscriber;
    registry->session_count++;
    join_channels(&registry->graph, node, channels);
}

static void unlink_sibling(Node *user, Subscriber *subscriber) {
    if (user->owner == subscriber) {
        user->owner = subscriber->sibling;
        return;
    }
    Subscriber *at = user->owner;
    while (at->sibling != subscriber) at = at->sibling;
    at->sibling = subscriber->sibling;
}

void registry_remove(Registry *registry, Subscriber *subscriber) {
    ensure(!registry->is_locked);
    remove_coming(registry, subscriber);
    Node *user = subscriber->user;
    if (user == NULL) return;
    unlink_sibling(user, subscriber);
    subscriber->user = NULL;
    subscriber->sibling = NULL;
    registry->session_count--;
    if (user->owner != NULL) return;
    int64_t before = (int64_t)registry->graph.channels.count;
    graph_clear(&registry->graph, user);
    graph_prune(&registry->graph, user);
    metrics_add(METRIC_channels_live, (int64_t)registry->graph.channels.count - before);
}

void registry_change(Registry *registry, bool is_add, const Names *users, const Names *channels) {
    ensure(!registry->is_locked);
    for (uint32_t i = 0; i < users->count; i++) {
        Node *user = graph_find_user(&registry->graph, users->items[i]);
        if (user == NULL) continue;
        if (is_add) {
            join_channels(&registry->graph, user, channels);
        } else {
            leave_channels(&registry->graph, user, channels);
        }
    }
}

Subscriber *registry_find_user(const Registry *registry, Str user) {
    Node *node = graph_find_user(&registry->graph, user);
    return node ? registry_sessions(node) : NULL;
}
