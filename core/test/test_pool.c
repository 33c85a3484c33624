/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.pool: base/pool. A block is known by its number and remembers its size.
 *     local pool = pool.new()     pool:alloc(size) -> number    pool:realloc(number, size)    pool:free(number)
 *     pool:fill(number, byte)     pool:has(number, byte, len)   pool:place(number) -> address as an integer
 *     pool:trim()                 pool:slabs() -> how many there are
 */
#include <stdint.h>
#include <string.h>

#include "api/lua_args.h"
#include "base/pool.h"
#include "test/test.h"

#define POOL "core.test.pool"

enum { BLOCKS_MAX = 4096 };

typedef struct TestPool {
    Pool pool;
    struct {
        void *memory;
        size_t size;
    } blocks[BLOCKS_MAX];
    size_t count;
} TestPool;

static TestPool *check_pool(lua_State *L) {
    return luaL_checkudata(L, 1, POOL);
}

static size_t check_block(lua_State *L) {
    size_t number = (size_t)luaL_checkinteger(L, 2);
    luaL_argcheck(L, number < check_pool(L)->count, 2, "no block");
    return number;
}

static int f_new(lua_State *L) {
    TestPool *test = lua_newuserdatauv(L, sizeof *test, 0);
    test->count = 0;
    pool_init(&test->pool);
    luaL_setmetatable(L, POOL);
    return 1;
}

static int f_gc(lua_State *L) {
    TestPool *test = check_pool(L);
    for (size_t i = 0; i < test->count; i++) {
        pool_free(&test->pool, test->blocks[i].memory, test->blocks[i].size);
    }
    pool_deinit(&test->pool);
    return 0;
}

static int f_alloc(lua_State *L) {
    TestPool *test = check_pool(L);
    size_t size = (size_t)luaL_checkinteger(L, 2);
    luaL_argcheck(L, test->count < BLOCKS_MAX, 1, "too many blocks");
    test->blocks[test->count].memory = pool_alloc(&test->pool, size);
    test->blocks[test->count].size = size;
    lua_pushinteger(L, (lua_Integer)test->count++);
    return 1;
}

static int f_realloc(lua_State *L) {
    TestPool *test = check_pool(L);
    size_t i = check_block(L);
    size_t size = (size_t)luaL_checkinteger(L, 3);
    test->blocks[i].memory =
        pool_realloc(&test->pool, test->blocks[i].memory, test->blocks[i].size, size);
    test->blocks[i].size = size;
    return 0;
}

static int f_free(lua_State *L) {
    TestPool *test = check_pool(L);
    size_t i = check_block(L);
    pool_free(&test->pool, test->blocks[i].memory, test->blocks[i].size);
    test->blocks[i].memory = NULL;
    return 0;
}

static int f_fill(lua_State *L) {
    const TestPool *test = check_pool(L);
    size_t i = check_block(L);
    memset(test->blocks[i].memory, (int)luaL_checkinteger(L, 3), test->blocks[i].size);
    return 0;
}

static int f_has(lua_State *L) {
    const TestPool *test = check_pool(L);
    const unsigned char *bytes = test->blocks[check_block(L)].memory;
    size_t len = (size_t)luaL_checkinteger(L, 4);
    bool is_same = true;
    for (size_t i = 0; i < len; i++) is_same = is_same && bytes[i] == luaL_checkinteger(L, 3);
    lua_pushboolean(L, is_same);
    return 1;
}

static int f_place(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)(uintptr_t)check_pool(L)->blocks[check_block(L)].memory);
    return 1;
}

static int f_trim(lua_State *L) {
    pool_trim(&check_pool(L)->pool);
    return 0;
}

static int f_slabs(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)check_pool(L)->pool.slab_count);
    return 1;
}

static const luaL_Reg methods[] = {
    {"alloc", f_alloc}, {"realloc", f_realloc}, {"free", f_free}, {"fill", f_fill},   {"has", f_has},
    {"place", f_place}, {"trim", f_trim},       {"__gc", f_gc},   {"slabs", f_slabs}, {NULL, NULL},
};

static const luaL_Reg lib[] = {{"new", f_new}, {NULL, NULL}};

int test_open_pool(lua_State *L) {
    push_class(L, POOL, methods);
    lua_pop(L, 1);
    luaL_newlib(L, lib);
    lua_pushinteger(L, POOL_BLOCK_MAX);
    lua_setfield(L, -2, "block_max");
    return 1;
}
