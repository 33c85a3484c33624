/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.base: map, wheel, buf, arena, str and clock.
 *     local map = base.map()              map:add(name), :find(name), :remove(name), :names(), :size()
 *     local wheel = base.wheel(now_ms)    wheel:turn(now_ms), wheel:count()
 *     wheel:fire_first()
 *     local timer = wheel:timer(function(now_ms) end)    timer:start(deadline_ms), :stop(), :free()
 */
#include "api/lua_args.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/wheel.h"
#include "test/test.h"

#define MAP "core.test.map"
#define WHEEL "core.test.wheel"
#define TIMER "core.test.timer"
#define BUF "core.test.buf"
#define ARENA "core.test.arena"

typedef struct Item {
    size_t len;
    char name[];
} Item;

static Str name_of(const void *value) {
    const Item *item = value;
    return str_make(item->name, item->len);
}

static int f_map(lua_State *L) {
    map_init(lua_newuserdatauv(L, sizeof(Map), 0), name_of);
    luaL_setmetatable(L, MAP);
    return 1;
}

static Map *check_map(lua_State *L) {
    return luaL_checkudata(L, 1, MAP);
}

static int f_map_add(lua_State *L) {
    Str name = check_str(L, 2);
    Item *item = mem_alloc(sizeof *item + name.len);
    item->len = name.len;
    memcpy(item->name, name.data, name.len);
    map_add(check_map(L), item);
    return 0;
}

static int f_map_find(lua_State *L) {
    const Item *item = map_find(check_map(L), check_str(L, 2));
    if (item == NULL) return 0;
    push_str(L, name_of(item));
    return 1;
}

static int f_map_remove(lua_State *L) {
    Item *item = map_remove(check_map(L), check_str(L, 2));
    if (item == NULL) return 0;
    push_str(L, name_of(item));
    mem_free(item);
    return 1;
}

/* What a walk meets. */
static int f_map_names(lua_State *L) {
    const Map *map = check_map(L);
    size_t at = 0;
    lua_newtable(L);
    for (const Item *item = map_next(map, &at); item != NULL; item = map_next(map, &at)) {
        push_str(L, name_of(item));
        lua_rawseti(L, -2, luaL_len(L, -2) + 1);
    }
    return 1;
}

/* The count, and the slots there are. */
static int f_map_size(lua_State *L) {
    const Map *map = check_map(L);
    lua_pushinteger(L, (lua_Integer)map->count);
    lua_pushinteger(L, (lua_Integer)map->slot_count);
    return 2;
}

static int f_map_gc(lua_State *L) {
    Map *map = check_map(L);
    size_t at = 0;
    for (Item *item = map_next(map, &at); item != NULL; item = map_next(map, &at)) mem_free(item);
    map_deinit(map);
    return 0;
}

static int f_hash(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)map_hash(check_str(L, 1)));
    return 1;
}

/* During a turn `L` is the caller's. */
typedef struct TestWheel {
    Wheel wheel;
    lua_State *L;
} TestWheel;

typedef struct TestTimer {
    WheelTimer timer;
    TestWheel *wheel;
    int callback; /* registry reference */
} TestTimer;

static int f_wheel(lua_State *L) {
    TestWheel *wheel = lua_newuserdatauv(L, sizeof *wheel, 0);
    wheel_init(&wheel->wheel, (uint64_t)luaL_checkinteger(L, 1));
    luaL_setmetatable(L, WHEEL);
    return 1;
}

static int f_wheel_turn(lua_State *L) {
    TestWheel *wheel = luaL_checkudata(L, 1, WHEEL);
    wheel->L = L;
    wheel_turn(&wheel->wheel, (uint64_t)luaL_checkinteger(L, 2));
    return 0;
}

static int f_wheel_count(lua_State *L) {
    const TestWheel *wheel = luaL_checkudata(L, 1, WHEEL);
    lua_pushinteger(L, (lua_Integer)wheel->wheel.count);
    return 1;
}

static int f_wheel_next_ms(lua_State *L) {
    TestWheel *wheel = luaL_checkudata(L, 1, WHEEL);
    lua_pushinteger(L, (lua_Integer)wheel_next_ms(&wheel->wheel));
    return 1;
}

/* Fires the timer whose deadline comes first, and gives that; nothing when none is set. */
static int f_wheel_fire_first(lua_State *L) {
    TestWheel *wheel = luaL_checkudata(L, 1, WHEEL);
    wheel->L = L;
    WheelTimer *timer = wheel_first(&wheel->wheel);
    if (timer == NULL) return 0;
    lua_pushinteger(L, (lua_Integer)timer->deadline_ms);
    wheel_fire(&wheel->wheel, timer, timer->deadline_ms);
    return 1;
}

static void on_fire(WheelTimer *timer, uint64_t now_ms) {
    const TestTimer *test = (TestTimer *)(void *)timer;
    lua_State *L = test->wheel->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, test->callback);
    lua_pushinteger(L, (lua_Integer)now_ms);
    lua_call(L, 1, 0);
}

/* The userdata keeps the wheel alive; the timer itself is on the heap, to be freed at will. */
static int f_wheel_timer(lua_State *L) {
    TestWheel *wheel = luaL_checkudata(L, 1, WHEEL);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    TestTimer **handle = lua_newuserdatauv(L, sizeof *handle, 1);
    TestTimer *timer = mem_alloc(sizeof *timer);
    wheel_timer_init(&timer->timer, on_fire);
    timer->wheel = wheel;
    lua_pushvalue(L, 2);
    timer->callback = luaL_ref(L, LUA_REGISTRYINDEX);
    *handle = timer;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, TIMER);
    return 1;
}

static TestTimer *check_timer(lua_State *L) {
    TestTimer **handle = luaL_checkudata(L, 1, TIMER);
    luaL_argcheck(L, *handle != NULL, 1, "it was freed");
    return *handle;
}

static int f_timer_start(lua_State *L) {
    TestTimer *timer = check_timer(L);
    wheel_start(&timer->wheel->wheel, &timer->timer, (uint64_t)luaL_checkinteger(L, 2));
    return 0;
}

static int f_timer_stop(lua_State *L) {
    TestTimer *timer = check_timer(L);
    wheel_stop(&timer->wheel->wheel, &timer->timer);
    return 0;
}

static int f_timer_free(lua_State *L) {
    TestTimer **handle = luaL_checkudata(L, 1, TIMER);
    TestTimer *timer = *handle;
    *handle = NULL;
    if (timer == NULL) return 0;
    wheel_stop(&timer->wheel->wheel, &timer->timer);
    luaL_unref(L, LUA_REGISTRYINDEX, timer->callback);
    mem_free(timer);
    return 0;
}

static int f_buf(lua_State *L) {
    Buf *buf = lua_newuserdatauv(L, sizeof *buf, 0);
    *buf = BUF_NONE;
    luaL_setmetatable(L, BUF);
    return 1;
}

static Buf *check_buf(lua_State *L) {
    return luaL_checkudata(L, 1, BUF);
}

static int f_buf_add(lua_State *L) {
    buf_add(check_buf(L), check_str(L, 2));
    return 0;
}

static int f_buf_addf(lua_State *L) {
    Str text = check_str(L, 2);
    buf_addf(check_buf(L), "<%.*s>", STR_ARG(text));
    return 0;
}

static int f_buf_consume(lua_State *L) {
    buf_consume(check_buf(L), (size_t)luaL_checkinteger(L, 2));
    return 0;
}

static int f_buf_clear(lua_State *L) {
    buf_clear(check_buf(L));
    return 0;
}

/* What it holds, and the memory it has. */
static int f_buf_text(lua_State *L) {
    const Buf *buf = check_buf(L);
    push_str(L, buf_str(buf));
    lua_pushinteger(L, (lua_Integer)buf->cap);
    return 2;
}

static int f_buf_free(lua_State *L) {
    buf_deinit(check_buf(L));
    return 0;
}

static int f_arena(lua_State *L) {
    arena_init(lua_newuserdatauv(L, sizeof(Arena), 0));
    luaL_setmetatable(L, ARENA);
    return 1;
}

/* Fills so many bytes with a value; gives their place, and whether it is aligned. */
static int f_arena_alloc(lua_State *L) {
    size_t size = (size_t)luaL_checkinteger(L, 2);
    void *memory = arena_alloc(luaL_checkudata(L, 1, ARENA), size);
    memset(memory, (int)luaL_checkinteger(L, 3), size);
    lua_pushlightuserdata(L, memory);
    lua_pushboolean(L, (size_t)memory % _Alignof(max_align_t) == 0);
    return 2;
}

/* place, size -> what lies there */
static int f_arena_read(lua_State *L) {
    luaL_checkudata(L, 1, ARENA);
    lua_pushlstring(L, lua_touserdata(L, 2), (size_t)luaL_checkinteger(L, 3));
    return 1;
}

/* The copy with the NUL behind it. */
static int f_arena_copy(lua_State *L) {
    Str copy = arena_copy(luaL_checkudata(L, 1, ARENA), check_str(L, 2));
    lua_pushlstring(L, copy.data, copy.len + 1);
    return 1;
}

static int f_arena_total(lua_State *L) {
    const Arena *arena = luaL_checkudata(L, 1, ARENA);
    lua_pushinteger(L, (lua_Integer)arena->total);
    return 1;
}

static int f_arena_free(lua_State *L) {
    arena_deinit(luaL_checkudata(L, 1, ARENA));
    return 0;
}

static int f_equal_nocase(lua_State *L) {
    lua_pushboolean(L, str_equal_nocase(check_str(L, 1), check_str(L, 2)));
    return 1;
}

static int f_compare(lua_State *L) {
    int order = str_compare(check_str(L, 1), check_str(L, 2));
    lua_pushinteger(L, (order > 0) - (order < 0));
    return 1;
}

static int f_has_prefix(lua_State *L) {
    lua_pushboolean(L, str_has_prefix(check_str(L, 1), check_str(L, 2)));
    return 1;
}

static int f_trim(lua_State *L) {
    push_str(L, str_trim(check_str(L, 1)));
    return 1;
}

static int f_split(lua_State *L) {
    Str head;
    Str tail;
    lua_pushboolean(L, str_split(check_str(L, 1), *luaL_checkstring(L, 2), &head, &tail));
    push_str(L, head);
    push_str(L, tail);
    return 3;
}

static int f_rfc3339(lua_State *L) {
    char text[CLOCK_RFC3339_LEN + 1];
    clock_format_rfc3339(luaL_checkinteger(L, 1), text);
    lua_pushstring(L, text);
    return 1;
}

static int f_http_date(lua_State *L) {
    char text[CLOCK_HTTP_LEN + 1];
    clock_format_http(luaL_checkinteger(L, 1), text);
    lua_pushstring(L, text);
    return 1;
}

static int f_wall_ms(lua_State *L) {
    lua_pushinteger(L, clock_wall_ms());
    return 1;
}

static int f_monotonic_ms(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)clock_monotonic_ms());
    return 1;
}

static int f_deadline_ms(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)clock_deadline_ms((uint64_t)luaL_checkinteger(L, 1)));
    return 1;
}

static int f_hold(lua_State *L) {
    clock_hold(luaL_checkinteger(L, 1), (uint64_t)luaL_checkinteger(L, 2));
    return 0;
}

static int f_move(lua_State *L) {
    clock_move((uint64_t)luaL_checkinteger(L, 1));
    return 0;
}

static int f_release(lua_State *L) {
    (void)L;
    clock_release();
    return 0;
}

static const luaL_Reg map_methods[] = {
    {"add", f_map_add},     {"find", f_map_find}, {"remove", f_map_remove},
    {"names", f_map_names}, {"size", f_map_size}, {"__gc", f_map_gc},
    {NULL, NULL},
};

static const luaL_Reg wheel_methods[] = {
    {"turn", f_wheel_turn},   {"count", f_wheel_count},           {"next_ms", f_wheel_next_ms},
    {"timer", f_wheel_timer}, {"fire_first", f_wheel_fire_first}, {NULL, NULL},
};

static const luaL_Reg timer_methods[] = {
    {"start", f_timer_start}, {"stop", f_timer_stop}, {"free", f_timer_free},
    {"__gc", f_timer_free},   {NULL, NULL},
};

static const luaL_Reg buf_methods[] = {
    {"add", f_buf_add},   {"addf", f_buf_addf}, {"consume", f_buf_consume}, {"clear", f_buf_clear},
    {"text", f_buf_text}, {"free", f_buf_free}, {"__gc", f_buf_free},       {NULL, NULL},
};

static const luaL_Reg arena_methods[] = {
    {"alloc", f_arena_alloc}, {"read", f_arena_read}, {"copy", f_arena_copy}, {"total", f_arena_total},
    {"free", f_arena_free},   {"__gc", f_arena_free}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"map", f_map},         {"hash", f_hash},
    {"wheel", f_wheel},     {"buf", f_buf},
    {"arena", f_arena},     {"equal_nocase", f_equal_nocase},
    {"compare", f_compare}, {"has_prefix", f_has_prefix},
    {"trim", f_trim},       {"split", f_split},
    {"rfc3339", f_rfc3339}, {"http_date", f_http_date},
    {"wall_ms", f_wall_ms}, {"monotonic_ms", f_monotonic_ms},
    {"hold", f_hold},       {"move", f_move},
    {"release", f_release}, {"deadline_ms", f_deadline_ms},
    {NULL, NULL},
};

int test_open_base(lua_State *L) {
    push_class(L, MAP, map_methods);
    push_class(L, WHEEL, wheel_methods);
    push_class(L, TIMER, timer_methods);
    push_class(L, BUF, buf_methods);
    push_class(L, ARENA, arena_methods);
    lua_pop(L, 5);
    luaL_newlib(L, functions);
    return 1;
}
