/* SPDX-License-Identifier: Apache-2.0 */
#include "api/memo.h"

#include "api/carry.h"
#include "api/states.h"

static const char memos_key = 'm'; /* its address is the registry key */

void memo_open(lua_State *L) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &memos_key);
}

static void drop(lua_State *L, const char *id) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &memos_key);
    lua_pushnil(L);
    lua_setfield(L, -2, id);
    lua_pop(L, 1);
}

/* Copies the field `data` of the table on top of the old state, pops that, and pushes the copy onto the main
 * stack of `to`; false when there is nothing in it. */
static bool copy_data(Api *old, Script *to) {
    lua_State *from = old->script->L;
    lua_pushliteral(from, "data");
    bool has_data = lua_rawget(from, -2) == LUA_TTABLE;
    if (has_data) {
        lua_pushnil(from);
        has_data = lua_next(from, -2) != 0;
        if (has_data) lua_pop(from, 2);
    }
    bool is_copied = has_data && carry_value(from, -1, to, &old->left_out) == 0;
    if (has_data && !is_copied) {
        lua_pop(to->L, 1);
        old->left_out++;
    }
    lua_pop(from, 2);
    return is_copied;
}

/* Moves the data that an older state has of the session into the table on top. */
static bool take_from(lua_State *L, Api *old, const char *id) {
    lua_State *from = old->script->L;
    lua_rawgetp(from, LUA_REGISTRYINDEX, &memos_key);
    bool is_there = lua_getfield(from, -1, id) == LUA_TTABLE;
    lua_remove(from, -2);
    if (!is_there) {
        lua_pop(from, 1);
        return false;
    }
    Script *script = api_of(L)->script;
    if (copy_data(old, script)) {
        lua_xmove(script->L, L, 1);
        lua_setfield(L, -2, "data");
    }
    drop(from, id);
    return true;
}

static void take_from_older(lua_State *L, const char *id) {
    Api *own = api_of(L);
    if (own->states == NULL) return;
    for (List *at = own->link.prev; at != &own->states->all; at = at->prev) {
        if (take_from(L, list_entry(at, Api, link), id)) return;
    }
}

void memo_push(lua_State *L, const char *id, bool is_kept) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &memos_key);
    if (lua_getfield(L, -1, id) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        take_from_older(L, id);
        if (is_kept) {
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, id);
        }
    }
    lua_remove(L, -2);
}

void memo_forget(Api *api, const char *id) {
    List *all = &api->states->all;
    for (List *at = all->next; at != all; at = at->next) {
        drop(list_entry(at, Api, link)->script->L, id);
    }
}

/* stack of old: ..., id, table (popped) */
static void hand_over(Api *old, Api *next) {
    lua_State *L = next->script->L;
    const char *id = lua_tostring(old->script->L, -2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &memos_key);
    bool is_missing = lua_getfield(L, -1, id) == LUA_TNIL;
    lua_pop(L, 1);
    if (is_missing && copy_data(old, next->script)) {
        lua_createtable(L, 0, 1);
        lua_insert(L, -2);
        lua_setfield(L, -2, "data");
        lua_setfield(L, -2, id);
    } else if (!is_missing) {
        lua_pop(old->script->L, 1);
    }
    lua_pop(L, 1);
}

void memo_hand_over(Api *old, Api *next) {
    lua_State *L = old->script->L;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &memos_key);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) hand_over(old, next);
    lua_pop(L, 1);
}
