/* SPDX-License-Identifier: Apache-2.0
 *
 * graph: who is tied to what: users and channels by name, and the edges between them, walkable from
 * both ends. The roster keeps all standing subscriptions in one, each worker the part of its live
 * users in another. A node lives while it has an edge or an owner (graph_prune). 12 bytes per edge and
 * end, of which the node itself has room for one; adding and removing cost in proportion to the
 * shorter of the two ends. One thread.
 */
#ifndef HUB_GRAPH_H
#define HUB_GRAPH_H

#include <stdint.h>

#include "base/map.h"
#include "base/pool.h"

typedef struct Node Node;

typedef struct __attribute__((packed, aligned(4))) Edge {
    Node *peer;
    uint32_t back; /* index of the twin edge in peer->edges */
} Edge;

struct Node {
    void *owner;   /* what the graph's owner hangs here (sessions, presence); keeps the node alive */
    uint64_t mark; /* scratch of the graph's owner: the serial of the last walk that met it */
    union __attribute__((packed, aligned(4))) {
        Edge one;   /* while edge_cap is 1 */
        Edge *many; /* unordered: removal moves the last one into the gap */
    } edges;
    uint32_t edge_count;
    uint32_t edge_cap;
    uint32_t name_len : 31;
    uint32_t is_channel : 1;
    char name[];
};

typedef struct Graph {
    Pool pool; /* where the nodes lie */
    Map users;
    Map channels;
    uint64_t edge_count; /* subscriptions */
} Graph;

void graph_init(Graph *graph);
void graph_deinit(Graph *graph); /* frees all nodes; owners are the caller's */

Node *graph_find_user(const Graph *graph, Str name); /* NULL: not there */
Node *graph_find_channel(const Graph *graph, Str name);
Node *graph_add_user(Graph *graph, Str name); /* the node, made if it was not there */
Node *graph_add_channel(Graph *graph, Str name);

bool graph_has_edge(const Node *a, const Node *b);
bool graph_add_edge(Graph *graph, Node *user, Node *channel);    /* false: was there */
bool graph_remove_edge(Graph *graph, Node *user, Node *channel); /* false: was not there */

/* Removes all edges of the node, and the peers that are left with nothing. */
void graph_clear(Graph *graph, Node *node);

/* Gives back what the nodes that are gone took. For quiet moments. */
void graph_trim(Graph *graph);

/* Frees the node if it has neither edge nor owner. */
void graph_prune(Graph *graph, Node *node);

static inline const Edge *node_edges(const Node *node) {
    return node->edge_cap > 1 ? node->edges.many : &node->edges.one;
}

static inline Str node_name(const Node *node) {
    return str_make(node->name, node->name_len);
}

#endif
