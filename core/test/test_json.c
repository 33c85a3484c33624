/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.json, with the functions of text as core.test.json.text. Bytes are Lua strings.
 *     json.check(text, depth_max)  -> value, or nil, "INVALID", offset, message
 *     json.members(value)          -> { {key = raw or nil, item = value}, ... }
 */
#include "base/json.h"
#include "base/text.h"
#include "test/test.h"

/* A copy in memory of exactly its length, where a sanitizer sees a read beyond it. Lua frees it. */
static Str check_exact(lua_State *L, int index) {
    size_t len;
    const char *text = luaL_checklstring(L, index, &len);
    char *copy = lua_newuserdatauv(L, len, 0);
    memcpy(copy, text, len);
    lua_replace(L, index);
    return str_make(copy, len);
}

static void push_str(lua_State *L, Str text) {
    lua_pushlstring(L, text.len ? text.data : "", text.len);
}

static int push_buf(lua_State *L, Buf *buf) {
    push_str(L, buf_str(buf));
    buf_deinit(buf);
    return 1;
}

static int push_err(lua_State *L, int err) {
    lua_pushnil(L);
    lua_pushstring(L, err_name(err));
    return 2;
}

static int f_check(lua_State *L) {
    Str text = check_exact(L, 1);
    Str value;
    JsonFault fault;
    int err = json_check(text, (unsigned)luaL_optinteger(L, 2, JSON_DEPTH_MAX), &value, &fault);
    if (err) {
        push_err(L, err);
        lua_pushinteger(L, (lua_Integer)fault.offset);
        lua_pushstring(L, fault.message);
        return 4;
    }
    push_str(L, value);
    return 1;
}

static const char *const type_names[] = {
    [JSON_OBJECT] = "object", [JSON_ARRAY] = "array", [JSON_STRING] = "string",
    [JSON_NUMBER] = "number", [JSON_TRUE] = "true",   [JSON_FALSE] = "false",
    [JSON_NULL] = "null",
};

static int f_type(lua_State *L) {
    lua_pushstring(L, type_names[json_type(check_exact(L, 1))]);
    return 1;
}

static int f_members(lua_State *L) {
    JsonWalk walk = json_walk(check_exact(L, 1));
    Str key, item;
    lua_newtable(L);
    for (lua_Integer i = 1; json_next(&walk, &key, &item); i++) {
        lua_createtable(L, 0, 2);
        if (key.len > 0) {
            push_str(L, key);
            lua_setfield(L, -2, "key");
        }
        push_str(L, item);
        lua_setfield(L, -2, "item");
        lua_rawseti(L, -2, i);
    }
    return 1;
}

static int f_string_equal(lua_State *L) {
    Str raw = check_exact(L, 1);
    lua_pushboolean(L, json_string_equal(raw, check_exact(L, 2)));
    return 1;
}

static int f_find(lua_State *L) {
    Str object = check_exact(L, 1);
    Str key = check_exact(L, 2);
    Str item;
    if (!json_find(object, key, &item)) return 0;
    push_str(L, item);
    return 1;
}

static int f_set(lua_State *L) {
    Str object = check_exact(L, 1);
    Str key = check_exact(L, 2);
    Str item = check_exact(L, 3);
    Buf out = BUF_NONE;
    json_set(object, key, item, &out);
    return push_buf(L, &out);
}

static int f_remove(lua_State *L) {
    Str object = check_exact(L, 1);
    Str key = check_exact(L, 2);
    Buf out = BUF_NONE;
    json_remove(object, key, &out);
    return push_buf(L, &out);
}

static int f_decode_string(lua_State *L) {
    Str raw = check_exact(L, 1);
    Buf out = BUF_NONE;
    json_decode_string(raw, &out);
    return push_buf(L, &out);
}

static int f_encode_string(lua_State *L) {
    Str text = check_exact(L, 1);
    Buf out = BUF_NONE;
    json_encode_string(text, &out);
    return push_buf(L, &out);
}

static int f_parse_number(lua_State *L) {
    int64_t number;
    int err = text_parse_number(check_exact(L, 1), &number);
    if (err) return push_err(L, err);
    lua_pushinteger(L, number);
    return 1;
}

/* Gives nil, the error and what was decoded before it. */
static int f_percent_decode(lua_State *L) {
    Str text = check_exact(L, 1);
    Buf out = BUF_NONE;
    int err = text_percent_decode(text, lua_toboolean(L, 2), &out);
    return (err ? push_err(L, err) : 0) + push_buf(L, &out);
}

static int f_is_utf8(lua_State *L) {
    lua_pushboolean(L, text_is_utf8(check_exact(L, 1)));
    return 1;
}

static int f_utf8_len(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)text_utf8_len(check_exact(L, 1)));
    return 1;
}

static int f_encode_utf8(lua_State *L) {
    uint32_t code_point = (uint32_t)luaL_checkinteger(L, 1);
    Buf out = BUF_NONE;
    text_add_utf8(&out, code_point);
    return push_buf(L, &out);
}

static const luaL_Reg text_functions[] = {
    {"parse_number", f_parse_number}, {"percent_decode", f_percent_decode}, {"is_utf8", f_is_utf8},
    {"utf8_len", f_utf8_len},         {"encode_utf8", f_encode_utf8},       {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"check", f_check},
    {"type", f_type},
    {"members", f_members},
    {"string_equal", f_string_equal},
    {"find", f_find},
    {"set", f_set},
    {"remove", f_remove},
    {"decode_string", f_decode_string},
    {"encode_string", f_encode_string},
    {NULL, NULL},
};

int test_open_json(lua_State *L) {
    luaL_newlib(L, functions);
    luaL_newlib(L, text_functions);
    lua_setfield(L, -2, "text");
    return 1;
}
