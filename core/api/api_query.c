/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_query.h"

#include "api/api.h"
#include "api/lua_args.h"
#include "base/text.h"

/* The text that the raw one encodes, "+" as a blank; it lies in `decoded` if it is another one. False: it is none. */
static bool decode(Str raw, Buf *decoded, Str *text) {
    *text = raw;
    if (raw.len == 0) return true;
    if (memchr(raw.data, '%', raw.len) != NULL || memchr(raw.data, '+', raw.len) != NULL) {
        buf_clear(decoded);
        if (text_percent_decode(raw, true, decoded) != 0) return false;
        *text = buf_str(decoded);
    }
    return text_is_utf8(*text);
}

/* Pushes the text that the raw one encodes. False, and nil, when it is none. */
static bool push_decoded_text(lua_State *L, Str raw) {
    Buf decoded = BUF_NONE;
    Str text;
    bool is_good = decode(raw, &decoded, &text);
    if (is_good) {
        push_str(L, text);
    } else {
        lua_pushnil(L);
    }
    buf_deinit(&decoded);
    return is_good;
}

/* False: there is none left. */
static bool take_piece(Str *rest, Str *piece, Str *name, Str *value) {
    do {
        if (rest->len == 0) return false;
        str_split(*rest, '&', piece, rest);
    } while (piece->len == 0);
    str_split(*piece, '=', name, value);
    return true;
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
    Str piece, name, value;
    while (take_piece(&rest, &piece, &name, &value)) {
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

/* Sets the value of the parameter if it is one of those that are asked for, and the first one of its name. */
static void set_asked(lua_State *L, int first, int count, Str name, Str value) {
    for (int i = first; i < first + count; i++) {
        if (!lua_isnil(L, i + count) || !str_equal(check_str(L, i), name)) continue;
        push_str(L, value);
        lua_replace(L, i + count);
        return;
    }
}

/* Pushes what is malformed: false, the name if it is good, the piece. */
static int push_malformed(lua_State *L, bool has_name, Str name, Str piece) {
    lua_pushboolean(L, 0);
    if (has_name) {
        push_str(L, name);
    } else {
        lua_pushnil(L);
    }
    push_str(L, piece);
    return 3;
}

int push_parameters(lua_State *L, Str query, int first) {
    int count = lua_gettop(L) - first + 1;
    for (int i = first; i < first + count; i++) check_str(L, i);
    luaL_checkstack(L, count + 3, "too many parameters");
    lua_settop(L, first + 2 * count - 1);
    Buf name_room = BUF_NONE, value_room = BUF_NONE;
    Str piece, raw_name, raw_value, name = STR_NONE, value;
    bool has_name = true, is_good = true;
    while (is_good && take_piece(&query, &piece, &raw_name, &raw_value)) {
        has_name = decode(raw_name, &name_room, &name);
        is_good = has_name && decode(raw_value, &value_room, &value);
        if (is_good) set_asked(L, first, count, name, value);
    }
    if (!is_good) count = push_malformed(L, has_name, name, piece);
    buf_deinit(&name_room);
    buf_deinit(&value_room);
    return count;
}

static const luaL_Reg lib[] = {{"parse", f_parse}, {NULL, NULL}};

int api_open_query(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
