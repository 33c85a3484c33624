/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.graph:
 *     local g = graph.new()
 *     g:add(user, channel)  -> whether the edge was made; the nodes are made as needed
 *     g:clear("user", name), g:prune("channel", name), g:own("user", name, true)
 *     g:check()  -> nothing, or what is not consistent
 */
#include "api/lua_args.h"
#include "hub/graph.h"
#include "test/test.h"

#define GRAPH "core.test.graph"

static Graph *check_graph(lua_State *L) {
    return luaL_checkudata(L, 1, GRAPH);
}

static int f_new(lua_State *L) {
    graph_init(lua_newuserdatauv(L, sizeof(Graph), 0));
    luaL_setmetatable(L, GRAPH);
    return 1;
}

static int f_gc(lua_State *L) {
    graph_deinit(check_graph(L));
    return 0;
}

static int f_add(lua_State *L) {
    Graph *graph = check_graph(L);
    Node *user = graph_add_user(graph, check_str(L, 2));
    Node *channel = graph_add_channel(graph, check_str(L, 3));
    lua_pushboolean(L, graph_add_edge(graph, user, channel));
    return 1;
}

/* Whether the edge was there; the nodes stay. */
static int f_remove(lua_State *L) {
    Graph *graph = check_graph(L);
    Node *user = graph_find_user(graph, check_str(L, 2));
    Node *channel = graph_find_channel(graph, check_str(L, 3));
    bool are_there = user != NULL && channel != NULL;
    lua_pushboolean(L, are_there && graph_remove_edge(graph, user, channel));
    return 1;
}

static int f_has(lua_State *L) {
    const Graph *graph = check_graph(L);
    const Node *user = graph_find_user(graph, check_str(L, 2));
    const Node *channel = graph_find_channel(graph, check_str(L, 3));
    bool are_there = user != NULL && channel != NULL;
    bool has = are_there && graph_has_edge(user, channel);
    if (are_there && graph_has_edge(channel, user) != has) return luaL_error(L, "one way only");
    lua_pushboolean(L, has);
    return 1;
}

/* The node that is named by the arguments 2 and 3, or NULL. */
static Node *find_node(lua_State *L) {
    static const char *const kinds[] = {"user", "channel", NULL};
    const Graph *graph = check_graph(L);
    bool is_user = luaL_checkoption(L, 2, NULL, kinds) == 0;
    return is_user ? graph_find_user(graph, check_str(L, 3))
                   : graph_find_channel(graph, check_str(L, 3));
}

static int f_clear(lua_State *L) {
    Node *node = find_node(L);
    if (node != NULL) graph_clear(check_graph(L), node);
    return 0;
}

static int f_prune(lua_State *L) {
    Node *node = find_node(L);
    if (node != NULL) graph_prune(check_graph(L), node);
    return 0;
}

static int f_own(lua_State *L) {
    Node *node = find_node(L);
    if (node != NULL) node->owner = lua_toboolean(L, 4) ? node : NULL;
    return 0;
}

/* Adds the names of one kind's nodes to the table on top: t[name] = number of edges. */
static void add_nodes(lua_State *L, const Map *nodes) {
    size_t at = 0;
    for (const Node *node = map_next(nodes, &at); node != NULL; node = map_next(nodes, &at)) {
        push_str(L, node_name(node));
        lua_pushinteger(L, node->edge_count);
        lua_rawset(L, -3);
    }
}

/* users, channels, edge count */
static int f_nodes(lua_State *L) {
    const Graph *graph = check_graph(L);
    lua_newtable(L);
    add_nodes(L, &graph->users);
    lua_newtable(L);
    add_nodes(L, &graph->channels);
    lua_pushinteger(L, (lua_Integer)graph->edge_count);
    return 3;
}

static const char *check_edge(const Node *node, uint32_t at) {
    const Edge *edge = &node_edges(node)[at];
    if (edge->peer->is_channel == node->is_channel) return "an edge between two of a kind";
    if (edge->back >= edge->peer->edge_count) return "a twin beyond the edges of the peer";
    const Edge *twin = &node_edges(edge->peer)[edge->back];
    return twin->peer == node && twin->back == at ? NULL : "a twin that leads elsewhere";
}

static const char *check_nodes(const Map *nodes, uint64_t *edges) {
    const char *fault = NULL;
    size_t at = 0;
    for (const Node *node = map_next(nodes, &at); node != NULL; node = map_next(nodes, &at)) {
        if (map_find(nodes, node_name(node)) != node) fault = "a node that is not found by its name";
        if (node->edge_count > node->edge_cap) fault = "more edges than room";
        for (uint32_t i = 0; i < node->edge_count && fault == NULL; i++) fault = check_edge(node, i);
        *edges += node->edge_count;
    }
    return fault;
}

static int f_check(lua_State *L) {
    const Graph *graph = check_graph(L);
    uint64_t user_edges = 0;
    uint64_t channel_edges = 0;
    const char *fault = check_nodes(&graph->users, &user_edges);
    if (fault == NULL) fault = check_nodes(&graph->channels, &channel_edges);
    bool is_count_right = user_edges == graph->edge_count && channel_edges == graph->edge_count;
    if (fault == NULL && !is_count_right) fault = "a wrong count of edges";
    lua_pushstring(L, fault);
    return 1;
}

static const luaL_Reg methods[] = {
    {"add", f_add}, {"remove", f_remove}, {"has", f_has},     {"clear", f_clear}, {"prune", f_prune},
    {"own", f_own}, {"nodes", f_nodes},   {"check", f_check}, {"__gc", f_gc},     {NULL, NULL},
};

static const luaL_Reg functions[] = {{"new", f_new}, {NULL, NULL}};

int test_open_graph(lua_State *L) {
    push_class(L, GRAPH, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
