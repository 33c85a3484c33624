/* SPDX-License-Identifier: Apache-2.0 */
#include "test/test_names.h"

#include "api/lua_args.h"

Names *check_field_names(lua_State *L, int index, const char *field) {
    bool is_there = lua_getfield(L, index, field) != LUA_TNIL;
    lua_pop(L, 1);
    if (!is_there) return NULL;
    size_t count;
    const Str *items = check_field_list(L, index, field, &count);
    Names *names = names_new(items, count);
    lua_pop(L, 1);
    return names;
}

void push_names(lua_State *L, const Names *names) {
    lua_createtable(L, (int)names->count, 0);
    for (uint32_t i = 0; i < names->count; i++) {
        push_str(L, names->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

void set_field_names(lua_State *L, const char *field, const Names *names) {
    if (names == NULL) return;
    push_names(L, names);
    lua_setfield(L, -2, field);
}

void push_edges(lua_State *L, const Graph *graph) {
    size_t at = 0;
    lua_newtable(L);
    for (const Node *user = map_next(&graph->users, &at); user != NULL;
         user = map_next(&graph->users, &at)) {
        for (uint32_t i = 0; i < user->edge_count; i++) {
            push_str(L, node_name(user));
            lua_pushliteral(L, " ");
            push_str(L, node_name(node_edges(user)[i].peer));
            lua_concat(L, 3);
            lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        }
    }
}
