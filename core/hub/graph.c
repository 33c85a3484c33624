/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/graph.h"

#include <assert.h>
#include <stddef.h>

#include "base/ensure.h"
#include "base/mem.h"

enum { NAME_LEN_MAX = INT32_MAX };

static Str key_of(const void *value) {
    return node_name(value);
}

void graph_init(Graph *graph) {
    pool_init(&graph->pool);
    map_init(&graph->users, key_of);
    map_init(&graph->channels, key_of);
    graph->edge_count = 0;
}

static Edge *edges_of(Node *node) {
    return node->edge_cap > 1 ? node->edges.many : &node->edges.one;
}

static size_t size_of(size_t name_len) {
    return offsetof(Node, name) + name_len;
}

static void free_node(Graph *graph, Node *node) {
    if (node->edge_cap > 1) mem_free(node->edges.many);
    pool_free(&graph->pool, node, size_of(node->name_len));
}

static void free_nodes(Graph *graph, Map *map) {
    size_t at = 0;
    for (Node *node = map_next(map, &at); node != NULL; node = map_next(map, &at)) {
        free_node(graph, node);
    }
    map_deinit(map);
}

void graph_deinit(Graph *graph) {
    free_nodes(graph, &graph->users);
    free_nodes(graph, &graph->channels);
    pool_deinit(&graph->pool);
    graph->edge_count = 0;
}

void graph_trim(Graph *graph) {
    pool_trim(&graph->pool);
}

Node *graph_find_user(const Graph *graph, Str name) {
    return map_find(&graph->users, name);
}

Node *graph_find_channel(const Graph *graph, Str name) {
    return map_find(&graph->channels, name);
}

static Node *add_node(Graph *graph, Str name, bool is_channel) {
    Map *map = is_channel ? &graph->channels : &graph->users;
    Node *node = map_find(map, name);
    if (node != NULL) return node;
    ensure(name.len <= NAME_LEN_MAX);
    node = pool_zalloc(&graph->pool, size_of(name.len));
    node->edge_cap = 1;
    node->name_len = (uint32_t)name.len & NAME_LEN_MAX;
    node->is_channel = is_channel;
    if (name.len > 0) memcpy(node->name, name.data, name.len);
    map_add(map, node);
    return node;
}

Node *graph_add_user(Graph *graph, Str name) {
    return add_node(graph, name, false);
}

Node *graph_add_channel(Graph *graph, Str name) {
    return add_node(graph, name, true);
}

/* The edge from one to the other, looked for at the end that has fewer. */
static bool find_edge(const Node *user, const Node *channel, uint32_t *at_user) {
    bool from_user = user->edge_count <= channel->edge_count;
    const Node *near = from_user ? user : channel;
    const Node *far = from_user ? channel : user;
    const Edge *edges = node_edges(near);
    for (uint32_t i = 0; i < near->edge_count; i++) {
        if (edges[i].peer != far) continue;
        *at_user = from_user ? i : edges[i].back;
        return true;
    }
    return false;
}

bool graph_has_edge(const Node *a, const Node *b) {
    uint32_t at;
    return find_edge(a, b, &at);
}

static void grow(Node *node) {
    uint32_t cap = node->edge_cap + node->edge_cap / 2;
    if (cap < node->edge_cap + 1) cap = node->edge_cap + 1;
    bool was_many = node->edge_cap > 1;
    Edge *many = mem_grow(was_many ? node->edges.many : NULL, cap, sizeof *many);
    if (!was_many) many[0] = node->edges.one;
    node->edges.many = many;
    node->edge_cap = cap;
}

static uint32_t append_edge(Node *node, Node *peer) {
    if (node->edge_count == node->edge_cap) grow(node);
    edges_of(node)[node->edge_count].peer = peer;
    return node->edge_count++;
}

bool graph_add_edge(Graph *graph, Node *user, Node *channel) {
    assert(!user->is_channel && channel->is_channel);
    if (graph_has_edge(user, channel)) return false;
    uint32_t at_user = append_edge(user, channel);
    uint32_t at_channel = append_edge(channel, user);
    edges_of(user)[at_user].back = at_channel;
    edges_of(channel)[at_channel].back = at_user;
    graph->edge_count++;
    return true;
}

static void shrink(Node *node) {
    if (node->edge_cap == 1) return;
    if (node->edge_count == 0) {
        mem_free(node->edges.many);
        node->edge_cap = 1;
    } else if (node->edge_cap > 16 && node->edge_count * 4 < node->edge_cap) {
        node->edge_cap /= 2;
        node->edges.many = mem_grow(node->edges.many, node->edge_cap, sizeof(Edge));
    }
}

static void drop_edge(Node *node, uint32_t at) {
    uint32_t last = --node->edge_count;
    if (at != last) {
        Edge *moved = &edges_of(node)[at];
        *moved = edges_of(node)[last];
        edges_of(moved->peer)[moved->back].back = at;
    }
    shrink(node);
}

static void drop_edge_at(Graph *graph, Node *node, uint32_t at) {
    Edge edge = edges_of(node)[at];
    drop_edge(node, at);
    drop_edge(edge.peer, edge.back);
    graph->edge_count--;
}

bool graph_remove_edge(Graph *graph, Node *user, Node *channel) {
    uint32_t at;
    if (!find_edge(user, channel, &at)) return false;
    drop_edge_at(graph, user, at);
    return true;
}

void graph_clear(Graph *graph, Node *node) {
    while (node->edge_count > 0) {
        Node *peer = edges_of(node)[node->edge_count - 1].peer;
        drop_edge_at(graph, node, node->edge_count - 1);
        graph_prune(graph, peer);
    }
}

void graph_prune(Graph *graph, Node *node) {
    if (node->edge_count > 0 || node->owner != NULL) return;
    map_remove(node->is_channel ? &graph->channels : &graph->users, node_name(node));
    free_node(graph, node);
}
