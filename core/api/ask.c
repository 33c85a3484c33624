/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ask.h"

#include "base/mem.h"

struct Ask {
    Api *api;
    Wait *wait;
    TaskPush push;
};

Api *check_running(lua_State *L) {
    Api *api = api_of(L);
    if (api->bus == NULL) luaL_error(L, "this function needs a running server");
    return api;
}

Ask *ask_new(lua_State *L, TaskPush push) {
    Api *api = api_of(L);
    task_check(L);
    Ask *ask = mem_alloc(sizeof *ask);
    *ask = (Ask){api, task_arm(L), push};
    api->asks++;
    return ask;
}

void ask_finish(Ask *ask, void *answer) {
    Ask copy = *ask;
    copy.api->asks--;
    mem_free(ask);
    task_wake(copy.wait, copy.push, answer);
}

static void on_answer(Op *op, void *waiter) {
    ask_finish(waiter, op);
}

static Bus *prepare(lua_State *L, Op *op, TaskPush push) {
    Api *api = api_of(L);
    op->origin = (uint16_t)api->worker;
    op->on_answer = on_answer;
    op->waiter = ask_new(L, push);
    return api->bus;
}

int ask_roster(lua_State *L, Op *op, TaskPush push) {
    bus_ask_roster(prepare(L, op, push), op);
    return task_yield(L);
}

int ask_reload(lua_State *L, Op *op, TaskPush push) {
    bus_ask_reload(prepare(L, op, push), op);
    return task_yield(L);
}
