/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "base/mem.h"
#include "script/task.h"

typedef struct Sleep {
    WheelTimer timer;
    Net *net;
    Wait *wait;
} Sleep;

static int push_nothing(lua_State *L, void *data) {
    (void)L, (void)data;
    return 0;
}

static void on_awake(WheelTimer *timer, uint64_t now_ms) {
    (void)now_ms;
    Sleep *sleeper = (Sleep *)(void *)timer;
    Wait *wait = sleeper->wait;
    mem_free(sleeper);
    task_wake(wait, push_nothing, NULL);
}

static void on_cancel(void *holder) {
    Sleep *sleeper = holder;
    wheel_stop(&sleeper->net->wheel, &sleeper->timer);
    on_awake(&sleeper->timer, 0);
}

static Net *check_net(lua_State *L) {
    Net *net = api_of(L)->net;
    if (net == NULL) luaL_error(L, "this function needs a running server");
    return net;
}

static void start_timer(Net *net, Wait *wait, uint32_t delay_ms) {
    Sleep *sleeper = mem_alloc(sizeof *sleeper);
    sleeper->net = net;
    sleeper->wait = wait;
    wait_on_cancel(wait, on_cancel, sleeper);
    wait_is_sleep(wait);
    wheel_timer_init(&sleeper->timer, on_awake);
    wheel_start(&net->wheel, &sleeper->timer, clock_deadline_ms(delay_ms));
}

static int f_sleep(lua_State *L) {
    Net *net = check_net(L);
    uint32_t delay_ms = check_delay_ms(L, 1);
    start_timer(net, task_arm(L), delay_ms);
    return task_yield(L);
}

/* A function that waits for the next turn of the loop: the caller goes on first, and a function that
 * spawns itself does not grow the C stack. */
typedef struct Spawn {
    Api *api;
    int reference; /* a table: the function and its arguments */
    int args;
    bool is_background;
} Spawn;

static void on_turn(Op *op, void *waiter) {
    (void)op;
    Spawn *spawn = waiter;
    Script *script = spawn->api->script;
    spawn->api->asks--;
    lua_State *L = script->L;
    luaL_checkstack(L, spawn->args + 2, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, spawn->reference);
    int table = lua_gettop(L);
    for (int i = 0; i <= spawn->args; i++) lua_rawgeti(L, table, i + 1);
    lua_remove(L, table);
    luaL_unref(L, LUA_REGISTRYINDEX, spawn->reference);
    task_spawn(script, "spawned function", spawn->args, spawn->is_background);
    mem_free(spawn);
}

static int f_spawn(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    Api *api = api_of(L);
    check_net(L);
    if (!api->is_running) luaL_error(L, "nothing can be spawned in setup: do it in the hook start");
    int args = lua_gettop(L) - 1;
    luaL_argcheck(L, args <= 32, 1, "at most 32 arguments");
    lua_createtable(L, args + 1, 0);
    lua_insert(L, 1);
    for (int i = args + 1; i >= 1; i--) lua_rawseti(L, 1, i);
    Spawn *spawn = mem_alloc(sizeof *spawn);
    *spawn = (Spawn){api, luaL_ref(L, LUA_REGISTRYINDEX), args, task_is_background(L)};
    api->asks++;
    Op *op = op_new(OP_CALL);
    op->is_answer = true;
    op->on_answer = on_turn;
    op->waiter = spawn;
    bus_post(api->bus, (unsigned)api->worker, op);
    return 0;
}

static int f_nest(lua_State *L) {
    lua_Integer *nesting = task_nesting(L);
    lua_pushinteger(L, *nesting);
    *nesting += luaL_checkinteger(L, 1);
    return 1;
}

static int f_nesting(lua_State *L) {
    lua_Integer *nesting = task_nesting(L);
    lua_pushinteger(L, *nesting);
    if (!lua_isnoneornil(L, 1)) *nesting = luaL_checkinteger(L, 1);
    return 1;
}

static int f_background(lua_State *L) {
    task_set_background(L, lua_toboolean(L, 1));
    return 0;
}

static const luaL_Reg lib[] = {{"sleep", f_sleep},     {"spawn", f_spawn},           {"nest", f_nest},
                               {"nesting", f_nesting}, {"background", f_background}, {NULL, NULL}};

int api_open_task(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
