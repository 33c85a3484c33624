/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"
#include "base/text.h"

static bool has_control(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == 0x7F) return true;
    }
    return false;
}

static const char *fault_of(Str name) {
    if (name.len == 0) return "is empty";
    if (!text_is_utf8(name)) return "is not UTF-8";
    return has_control(name) ? "has control characters" : NULL;
}

static int f_fault(lua_State *L) {
    const char *fault = fault_of(check_str(L, 1));
    if (fault == NULL) return 0;
    lua_pushstring(L, fault);
    return 1;
}

static Str trim(Str text) {
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = str_make(text.data + 1, text.len - 1);
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

static int f_split(lua_State *L) {
    Str rest = trim(check_str(L, 1));
    lua_createtable(L, rest.len > 0, 0);
    bool has_more = rest.len > 0;
    for (lua_Integer i = 1; has_more; i++) {
        Str item;
        has_more = str_split(rest, ',', &item, &rest);
        push_str(L, trim(item));
        lua_rawseti(L, 2, i);
    }
    return 1;
}

static const luaL_Reg lib[] = {{"fault", f_fault}, {"split", f_split}, {NULL, NULL}};

int api_open_names(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
