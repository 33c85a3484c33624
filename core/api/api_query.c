/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"
#include "base/text.h"

static bool is_plain(Str raw) {
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.data[i] == '%' || raw.data[i] == '+' || raw.data[i] & 0x80) return false;
    }
    return true;
}

/* Pushes the text that the raw one encodes, "+" as a blank. False, and nil, when it is none. */
static bool push_decoded_text(lua_State *L, Str raw) {
    if (is_plain(raw)) {
        push_str(L, raw);
        return true;
    }
    Buf text = BUF_NONE;
    bool is_good = text_percent_decode(raw, true, &text) == 0 && text_is_utf8(buf_str(&text));
    if (is_good) {
        push_str(L, buf_str(&text));
    } else {
        lua_pushnil(L);
    }
    buf_deinit(&text);
    return is_good;
}

/* stack: text, plain, values, rest or nil, name, value. Takes the last two off. */
static void add_rest(lua_State *L) {
    if (lua_isnil(L, 4)) {
        lua_createtable(L, 2, 0);
        lua_replace(L, 4);
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, 4);
    lua_rawseti(L, 4, count + 2);
    lua_rawseti(L, 4, count + 1);
}

/* stack as add_rest */
static void add(lua_State *L) {
    bool has_all = lua_isnil(L, 2);
    lua_pushvalue(L, 5);
    bool is_new = lua_rawget(L, 3) == LUA_TNIL;
    lua_pop(L, 1);
    bool is_in = has_all;
    if (!has_all) {
        lua_pushvalue(L, 5);
        lua_rawget(L, 2);
        is_in = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    if (is_new && is_in) {
        lua_rawset(L, 3);
    } else if (has_all) {
        lua_pop(L, 2); /* the first counts */
    } else {
        add_rest(L);
    }
}

/* stack: text, set of plain names or nil */
static int f_parse(lua_State *L) {
    Str rest = check_str(L, 1);
    lua_settop(L, 2);
    lua_createtable(L, 0, 2);
    lua_pushnil(L);
    while (rest.len > 0) {
        Str piece, name, value;
        str_split(rest, '&', &piece, &rest);
        if (piece.len == 0) continue;
        str_split(piece, '=', &name, &value);
        bool has_name = push_decoded_text(L, name);
        if (!has_name || !push_decoded_text(L, value)) {
            lua_settop(L, 5);
            lua_pushnil(L);
            lua_insert(L, 5);
            push_str(L, piece);
            return 3; /* nil, name or nil, piece */
        }
        add(L);
    }
    return 2;
}

static const luaL_Reg lib[] = {{"parse", f_parse}, {NULL, NULL}};

int api_open_query(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
