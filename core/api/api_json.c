/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoding writes into a Buf that lives in a userdata, so an error raised half-way (a value that is no
 * JSON) leaks nothing.
 */
#include "api/api_json.h"

#include <math.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/lua_args.h"
#include "base/json.h"
#include "base/text.h"

static const char raw_type[] = "core.json.raw";
static const char array_type[] = "core.json.array";
static const char scratch_key = 's'; /* its address is the registry key */

enum { SCRATCH_MAX = 64 * 1024 }; /* bytes that are kept for the next text */

enum { ENCODE_DEPTH_MAX = 128 };

unsigned api_json_depth(lua_State *L) {
    return api_of(L)->json_depth_max;
}

/* A raw piece is a userdata with the text as its user value. */
static void push_raw(lua_State *L, Str text) {
    lua_newuserdatauv(L, 0, 1);
    push_str(L, text);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, raw_type);
}

static void push_number(lua_State *L, Str raw) {
    /* A NUL-terminated copy on the stack; Lua's own reading tells integers from floats. */
    bool is_integer = memchr(raw.data, '.', raw.len) == NULL &&
                      memchr(raw.data, 'e', raw.len) == NULL && memchr(raw.data, 'E', raw.len) == NULL;
    push_str(L, raw);
    bool is_read = lua_stringtonumber(L, lua_tostring(L, -1)) != 0;
    bool is_exact = is_read && (!is_integer || lua_isinteger(L, -1)) && !isinf(lua_tonumber(L, -1));
    if (is_exact) {
        lua_remove(L, -2);
        return;
    }
    lua_pop(L, is_read ? 2 : 1);
    push_raw(L, raw);
}

/* The one Buf of the state in which texts are made, empty. It is Lua's, so that nothing is lost when what fills it
 * raises. */
static Buf *take_scratch(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &scratch_key);
    Buf *scratch = lua_touserdata(L, -1);
    lua_pop(L, 1);
    buf_clear(scratch);
    return scratch;
}

static void push_scratch(lua_State *L, Buf *scratch) {
    push_str(L, buf_str(scratch));
    if (scratch->cap > SCRATCH_MAX) buf_deinit(scratch);
}

static int f_gc_scratch(lua_State *L) {
    buf_deinit(lua_touserdata(L, 1));
    return 0;
}

static void make_scratch(lua_State *L) {
    Buf *scratch = lua_newuserdatauv(L, sizeof *scratch, 0);
    *scratch = BUF_NONE;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, f_gc_scratch);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &scratch_key);
}

static void push_string(lua_State *L, Str raw) {
    if (memchr(raw.data, '\\', raw.len) == NULL) {
        lua_pushlstring(L, raw.data + 1, raw.len - 2);
        return;
    }
    Buf *text = take_scratch(L);
    json_decode_string(raw, text);
    push_scratch(L, text);
}

static void push_value(lua_State *L, Str raw, bool keeps_order);

static void push_array(lua_State *L, Str raw, bool keeps_order) {
    lua_newtable(L);
    luaL_setmetatable(L, array_type);
    JsonWalk walk = json_walk(raw);
    Str key;
    Str item;
    for (lua_Integer i = 1; json_next(&walk, &key, &item); i++) {
        push_value(L, item, keeps_order);
        lua_rawseti(L, -2, i);
    }
}

/* Gives the object at the top the metatable { keys = {} } and pushes its keys. */
static void push_keys(lua_State *L) {
    lua_createtable(L, 0, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "keys");
    lua_insert(L, -2);
    lua_setmetatable(L, -3);
}

/* Appends the key to the keys, unless the object has it already. stack: ..., object, keys, key */
static void note_key(lua_State *L) {
    lua_pushvalue(L, -1);
    bool is_new = lua_rawget(L, -4) == LUA_TNIL;
    lua_pop(L, 1);
    if (!is_new) return;
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, (lua_Integer)lua_rawlen(L, -3) + 1);
}

static void push_object(lua_State *L, Str raw, bool keeps_order) {
    lua_newtable(L);
    int object = lua_gettop(L);
    if (keeps_order) push_keys(L);
    JsonWalk walk = json_walk(raw);
    Str key;
    Str item;
    while (json_next(&walk, &key, &item)) {
        push_string(L, key);
        if (keeps_order) note_key(L);
        push_value(L, item, keeps_order);
        lua_rawset(L, object);
    }
    lua_settop(L, object);
}

static void push_value(lua_State *L, Str raw, bool keeps_order) {
    luaL_checkstack(L, 8, "JSON is nested too deep");
    switch (json_type(raw)) {
    case JSON_OBJECT: push_object(L, raw, keeps_order); return;
    case JSON_ARRAY: push_array(L, raw, keeps_order); return;
    case JSON_STRING: push_string(L, raw); return;
    case JSON_NUMBER: push_number(L, raw); return;
    case JSON_TRUE: lua_pushboolean(L, 1); return;
    case JSON_FALSE: lua_pushboolean(L, 0); return;
    case JSON_NULL: lua_pushlightuserdata(L, NULL); return;
    }
}

void push_decoded(lua_State *L, Str raw) {
    push_value(L, raw, false);
}

static void encode(lua_State *L, int index, Buf *out, int depth);

static void encode_number(lua_State *L, int index, Buf *out) {
    if (lua_isinteger(L, index)) {
        buf_addf(out, LUA_INTEGER_FMT, lua_tointeger(L, index));
        return;
    }
    double number = lua_tonumber(L, index);
    if (!isfinite(number)) luaL_error(L, "JSON has no number for NaN and infinity");
    char text[32];
    snprintf(text, sizeof text, "%.15g", number);
    if (strtod(text, NULL) != number) snprintf(text, sizeof text, "%.17g", number);
    buf_add(out, str_of(text));
}

static bool has_metatable(lua_State *L, int index, const char *name) {
    if (!lua_getmetatable(L, index)) return false;
    luaL_getmetatable(L, name);
    bool is_same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_same;
}

/* An array by its mark, or by having items 1..n and nothing else. */
static bool is_array(lua_State *L, int index) {
    if (has_metatable(L, index, array_type)) return true;
    lua_Unsigned len = lua_rawlen(L, index);
    if (len == 0) return false;
    lua_Unsigned count = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1) || ++count > len) {
            lua_pop(L, 1);
            return false;
        }
    }
    return count == len;
}

static void encode_array(lua_State *L, int index, Buf *out, int depth) {
    lua_Integer len = (lua_Integer)lua_rawlen(L, index);
    buf_add_char(out, '[');
    for (lua_Integer i = 1; i <= len; i++) {
        if (i > 1) buf_add_char(out, ',');
        lua_rawgeti(L, index, i);
        encode(L, lua_gettop(L), out, depth + 1);
        lua_pop(L, 1);
    }
    buf_add_char(out, ']');
}

static int compare_keys(const void *a, const void *b) {
    return str_compare(*(const Str *)a, *(const Str *)b);
}

/* Pushes a userdata with the table's keys in order; they borrow from the table. */
static Str *push_sorted_keys(lua_State *L, int index, size_t *count) {
    size_t total = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "a JSON object's keys must be strings");
        total++;
    }
    Str *keys = lua_newuserdatauv(L, (total + 1) * sizeof *keys, 0);
    size_t i = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);
        keys[i++] = str_make(text, len);
    }
    if (total > 1) qsort(keys, total, sizeof *keys, compare_keys);
    *count = total;
    return keys;
}

static void encode_object(lua_State *L, int index, Buf *out, int depth) {
    size_t count;
    const Str *keys = push_sorted_keys(L, index, &count);
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) buf_add_char(out, ',');
        json_encode_string(keys[i], out);
        buf_add_char(out, ':');
        push_str(L, keys[i]);
        lua_rawget(L, index);
        encode(L, lua_gettop(L), out, depth + 1);
        lua_pop(L, 1);
    }
    buf_add_char(out, '}');
    lua_pop(L, 1);
}

static void encode_table(lua_State *L, int index, Buf *out, int depth) {
    if (luaL_getmetafield(L, index, "__value") != LUA_TNIL) { /* a view: what it shows */
        encode(L, lua_gettop(L), out, depth + 1);
        lua_pop(L, 1);
    } else if (is_array(L, index)) {
        encode_array(L, index, out, depth);
    } else {
        encode_object(L, index, out, depth);
    }
}

static void encode_userdata(lua_State *L, int index, Buf *out) {
    if (lua_touserdata(L, index) == NULL && lua_islightuserdata(L, index)) {
        buf_add(out, STR("null"));
        return;
    }
    if (luaL_testudata(L, index, raw_type) == NULL) {
        luaL_error(L, "a %s cannot be JSON", luaL_typename(L, index));
    }
    lua_getiuservalue(L, index, 1);
    buf_add(out, check_str(L, -1));
    lua_pop(L, 1);
}

static void encode(lua_State *L, int index, Buf *out, int depth) {
    if (depth > ENCODE_DEPTH_MAX) luaL_error(L, "JSON is nested too deep, or a table contains itself");
    luaL_checkstack(L, 8, "JSON is nested too deep");
    switch (lua_type(L, index)) {
    case LUA_TNIL: buf_add(out, STR("null")); return;
    case LUA_TBOOLEAN: buf_add(out, lua_toboolean(L, index) ? STR("true") : STR("false")); return;
    case LUA_TNUMBER: encode_number(L, index, out); return;
    case LUA_TSTRING: json_encode_string(check_str(L, index), out); return;
    case LUA_TTABLE: encode_table(L, index, out, depth); return;
    default: encode_userdata(L, index, out); return;
    }
}

void push_json(lua_State *L, int index) {
    index = lua_absindex(L, index);
    Buf *out = take_scratch(L);
    encode(L, index, out, 0);
    push_scratch(L, out);
}

bool carry_raw_json(lua_State *from, int index, lua_State *to) {
    if (luaL_testudata(from, index, raw_type) == NULL) return false;
    size_t len;
    lua_getiuservalue(from, index, 1);
    const char *text = lua_tolstring(from, -1, &len);
    push_raw(to, str_make(text, len));
    lua_pop(from, 1);
    return true;
}

bool carry_is_array(lua_State *from, int index) {
    return has_metatable(from, index, array_type);
}

void carry_mark_array(lua_State *to) {
    luaL_setmetatable(to, array_type);
}

static int f_decode(lua_State *L) {
    Str value;
    JsonFault fault;
    int err = json_check(check_str(L, 1), api_json_depth(L), &value, &fault);
    if (err != 0) {
        push_failure(L, ERR_INVALID, fault.message);
        lua_pushinteger(L, (lua_Integer)fault.offset);
        return 4;
    }
    push_value(L, value, lua_toboolean(L, 2));
    return 1;
}

static int f_find(lua_State *L) {
    Str value;
    JsonFault fault;
    Str item;
    Str text = check_str(L, 1);
    Str key = check_str(L, 2);
    bool is_object =
        json_check(text, api_json_depth(L), &value, &fault) == 0 && json_type(value) == JSON_OBJECT;
    if (is_object && json_find(value, key, &item)) {
        push_str(L, item);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static int f_items(lua_State *L) {
    Str value;
    JsonFault fault;
    Str text = check_str(L, 1);
    if (json_check(text, api_json_depth(L), &value, &fault) != 0 || json_type(value) != JSON_ARRAY) {
        return 0;
    }
    lua_newtable(L);
    JsonWalk walk = json_walk(value);
    Str key;
    Str item;
    for (lua_Integer i = 1; json_next(&walk, &key, &item); i++) {
        push_str(L, item);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

static int f_encode(lua_State *L) {
    luaL_checkany(L, 1);
    push_json(L, 1);
    return 1;
}

static int f_array(lua_State *L) {
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_setmetatable(L, array_type);
    return 1;
}

static int f_is_array(lua_State *L) {
    lua_settop(L, 1);
    lua_pushboolean(L, lua_istable(L, 1) && is_array(L, 1));
    return 1;
}

static int f_raw(lua_State *L) {
    Str value;
    JsonFault fault;
    if (json_check(check_str(L, 1), api_json_depth(L), &value, &fault) != 0) {
        return luaL_error(L, "not valid JSON: %s at byte %d", fault.message, (int)fault.offset);
    }
    push_raw(L, value);
    return 1;
}

static int f_raw_tostring(lua_State *L) {
    luaL_checkudata(L, 1, raw_type);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static const luaL_Reg raw_methods[] = {{"__tostring", f_raw_tostring}, {NULL, NULL}};
static const luaL_Reg array_methods[] = {{NULL, NULL}};

static const luaL_Reg lib[] = {
    {"decode", f_decode}, {"encode", f_encode},     {"find", f_find}, {"items", f_items},
    {"array", f_array},   {"is_array", f_is_array}, {"raw", f_raw},   {NULL, NULL},
};

int api_open_json(lua_State *L) {
    push_class(L, raw_type, raw_methods);
    make_scratch(L);
    push_class(L, array_type, array_methods);
    luaL_newlib(L, lib);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}
