/* SPDX-License-Identifier: Apache-2.0 */
#include "script/chunks.h"

#include <lauxlib.h>

#include "base/buf.h"
#include "base/mem.h"

typedef struct Chunk {
    char *name;
    char *path;
    Buf code; /* as lua_dump makes it, with what tracebacks need */
} Chunk;

enum { CHUNKS_MAX = 512 };

static Chunk *chunks; /* NULL: not started */
static size_t count;

void chunks_start(void) {
    if (chunks == NULL) chunks = mem_zalloc(CHUNKS_MAX * sizeof *chunks);
}

void chunks_stop(void) {
    for (size_t i = 0; i < count; i++) {
        mem_free(chunks[i].name);
        mem_free(chunks[i].path);
        buf_deinit(&chunks[i].code);
    }
    mem_free(chunks);
    chunks = NULL;
    count = 0;
}

static const Chunk *find(const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(chunks[i].name, name) == 0) return &chunks[i];
    }
    return NULL;
}

static int on_dump(lua_State *L, const void *bytes, size_t len, void *buf) {
    (void)L;
    buf_add(buf, str_make(bytes, len));
    return 0;
}

/* stack: path, the module's function */
static void keep(lua_State *L, const char *name) {
    if (chunks == NULL || count == CHUNKS_MAX) return;
    const char *path = lua_tostring(L, -2);
    Chunk *chunk = &chunks[count++];
    chunk->name = mem_copy(name, strlen(name));
    chunk->path = mem_copy(path, strlen(path));
    lua_dump(L, on_dump, &chunk->code, 0);
}

/* As Lua's own searcher does. stack: name */
static int load_file(lua_State *L, const char *name) {
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchpath");
    lua_pushvalue(L, 1);
    lua_getfield(L, -3, "path");
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) return 1;
    lua_pop(L, 1);
    if (luaL_loadfilex(L, lua_tostring(L, -1), "t") != LUA_OK) return lua_error(L);
    keep(L, name);
    lua_insert(L, -2);
    return 2;
}

/* A searcher of `require`: gives the module's function and its path. */
static int f_search(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    const Chunk *chunk = find(name);
    if (chunk == NULL) return load_file(L, name);
    lua_pushfstring(L, "@%s", chunk->path);
    int status = luaL_loadbufferx(L, chunk->code.data, chunk->code.len, lua_tostring(L, -1), "b");
    if (status != LUA_OK) return lua_error(L);
    lua_pushstring(L, chunk->path);
    return 2;
}

void chunks_open(lua_State *L) {
    if (chunks == NULL) return;
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_pushcfunction(L, f_search);
    lua_rawseti(L, -2, 2); /* the one that looks for files of Lua */
    lua_pop(L, 2);
}
