/* SPDX-License-Identifier: Apache-2.0 */
#include "api/lines.h"

#include <lauxlib.h>

#include "base/mem.h"

enum { KEPT_MAX = 500, LINE_LEN_MAX = 160 /* bytes */ };

typedef struct Kept {
    int value; /* its reference in the registry */
    uint32_t len;
    char line[];
} Kept;

static Str line_of(const void *value) {
    const Kept *kept = value;
    return str_make(kept->line, kept->len);
}

void lines_init(Lines *lines) {
    map_init(&lines->map, line_of);
}

static void clear(Lines *lines, lua_State *L) {
    Kept *kept;
    for (size_t at = 0; (kept = map_next(&lines->map, &at)) != NULL;) {
        if (L != NULL) luaL_unref(L, LUA_REGISTRYINDEX, kept->value);
        mem_free(kept);
    }
    map_deinit(&lines->map);
}

void lines_deinit(Lines *lines) {
    clear(lines, NULL);
}

bool lines_push(const Lines *lines, lua_State *L, Str line) {
    const Kept *kept = map_find(&lines->map, line);
    if (kept == NULL) {
        lua_pushnil(L);
    } else {
        lua_rawgeti(L, LUA_REGISTRYINDEX, kept->value);
    }
    return kept != NULL;
}

void lines_keep(Lines *lines, lua_State *L, Str line) {
    if (line.len > LINE_LEN_MAX) {
        lua_pop(L, 1);
        return;
    }
    Kept *kept = map_find(&lines->map, line);
    if (kept != NULL) {
        lua_rawseti(L, LUA_REGISTRYINDEX, kept->value);
        return;
    }
    if (lines->map.count == KEPT_MAX) clear(lines, L);
    kept = mem_alloc(sizeof *kept + line.len);
    kept->value = luaL_ref(L, LUA_REGISTRYINDEX);
    kept->len = (uint32_t)line.len;
    memcpy(kept->line, line.data, line.len);
    map_add(&lines->map, kept);
}
