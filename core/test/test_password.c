/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.password: the room, and core.password as a worker and as a command line tool have it.
 *     password.hash(text), password.verify(text, hash), password.is_outdated(hash)
 *         or nil and the name of the error
 *     local tool = password.tool()
 *     local worker = password.worker(threads, jobs_max)
 *     tool:run(code)      runs code as a task; require "core.password" is there, and note(...) keeps values
 *     worker:wait()       takes the answers that come next from the inbox
 *     worker:stop()       stops the pool
 *     worker:asks()       calls whose answer has not come yet
 *     worker:notes()      one string for each note, e.g. "nil / a limit was reached / LIMIT"
 */
#include "data/password.h"

#include <semaphore.h>

#include "api/api.h"
#include "api/lua_args.h"
#include "base/ensure.h"
#include "data/secret.h"
#include "script/task.h"
#include "test/test.h"

#define HOST "core.test.password"

typedef struct Host {
    Api api;
    Bus bus;
    Inbox inbox;
    sem_t mail;
    bool is_stopped;
    Buf notes; /* one a line */
} Host;

static int push_error(lua_State *L, int err) {
    lua_pushnil(L);
    lua_pushstring(L, err_name(err));
    return 2;
}

static int f_hash(lua_State *L) {
    char hash[PASSWORD_HASH_SIZE];
    int err = password_hash(check_str(L, 1), hash);
    if (err != 0) return push_error(L, err);
    lua_pushstring(L, hash);
    return 1;
}

static int f_verify(lua_State *L) {
    bool matches;
    int err = password_verify(check_str(L, 1), check_str(L, 2), &matches);
    if (err != 0) return push_error(L, err);
    lua_pushboolean(L, matches);
    return 1;
}

static int f_is_outdated(lua_State *L) {
    lua_pushboolean(L, password_is_outdated(check_str(L, 1)));
    return 1;
}

static Host *check_host(lua_State *L) {
    return luaL_checkudata(L, 1, HOST);
}

static int g_note(lua_State *inside) {
    Buf *notes = lua_touserdata(inside, lua_upvalueindex(1));
    int count = lua_gettop(inside);
    for (int i = 1; i <= count; i++) {
        size_t len;
        const char *text = luaL_tolstring(inside, i, &len);
        buf_add(notes, str_make(text, len));
        buf_add(notes, i == count ? STR("\n") : STR(" / "));
        lua_pop(inside, 1);
    }
    return 0;
}

static void wake(void *context) {
    sem_post(&((Host *)context)->mail);
}

static Host *push_host(lua_State *L) {
    Host *host = lua_newuserdatauv(L, sizeof *host, 0);
    *host = (Host){.api = {.script = script_new("."), .home = ".", .node_name = "test", .worker = -1}};
    luaL_setmetatable(L, HOST);
    ensure(sem_init(&host->mail, 0, 0) == 0);
    bus_init(&host->bus);
    inbox_init(&host->inbox, wake, host);
    api_open(&host->api);
    lua_State *inside = host->api.script->L;
    lua_pushlightuserdata(inside, &host->notes);
    lua_pushcclosure(inside, g_note, 1);
    lua_setglobal(inside, "note");
    return host;
}

static int f_tool(lua_State *L) {
    push_host(L);
    return 1;
}

static int f_worker(lua_State *L) {
    unsigned threads = (unsigned)luaL_checkinteger(L, 1);
    uint32_t jobs_max = (uint32_t)luaL_checkinteger(L, 2);
    Host *host = push_host(L);
    host->bus.worker_count = 1;
    host->bus.workers[0] = &host->inbox;
    host->api.bus = &host->bus;
    host->api.worker = 0;
    ensure(job_start(threads, jobs_max, &host->api.jobs) == 0);
    return 1;
}

static int f_run(lua_State *L) {
    Host *host = check_host(L);
    Str code = check_str(L, 2);
    lua_State *inside = host->api.script->L;
    if (luaL_loadbufferx(inside, code.data, code.len, "=code", "t") != LUA_OK) {
        return luaL_error(L, "%s", lua_tostring(inside, -1));
    }
    task_start(host->api.script, "code of a test", 0, NULL, NULL);
    return 0;
}

static void empty_inbox(Host *host) {
    Op *op = inbox_take(&host->inbox);
    while (op != NULL) {
        Op *next = op->next;
        op->on_answer(op, op->waiter);
        op_free(op);
        op = next;
    }
}

static int f_wait(lua_State *L) {
    Host *host = check_host(L);
    sem_wait(&host->mail);
    empty_inbox(host);
    return 0;
}

static int f_stop(lua_State *L) {
    Host *host = check_host(L);
    if (host->api.jobs != NULL && !host->is_stopped) job_stop(host->api.jobs);
    host->is_stopped = true;
    return 0;
}

static int f_asks(lua_State *L) {
    lua_pushinteger(L, check_host(L)->api.asks);
    return 1;
}

static int f_notes(lua_State *L) {
    Host *host = check_host(L);
    Str rest = buf_str(&host->notes);
    Str line;
    lua_newtable(L);
    while (str_split(rest, '\n', &line, &rest)) {
        push_str(L, line);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    buf_clear(&host->notes);
    return 1;
}

static int f_gc(lua_State *L) {
    Host *host = check_host(L);
    f_stop(L);
    empty_inbox(host);
    job_free(host->api.jobs);
    script_free(host->api.script);
    inbox_deinit(&host->inbox);
    bus_deinit(&host->bus);
    sem_destroy(&host->mail);
    buf_deinit(&host->notes);
    return 0;
}

static const luaL_Reg methods[] = {
    {"run", f_run},     {"wait", f_wait}, {"stop", f_stop}, {"asks", f_asks},
    {"notes", f_notes}, {"__gc", f_gc},   {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"hash", f_hash}, {"verify", f_verify}, {"is_outdated", f_is_outdated},
    {"tool", f_tool}, {"worker", f_worker}, {NULL, NULL},
};

int test_open_password(lua_State *L) {
    if (secret_setup() != 0) return luaL_error(L, "no randomness");
    push_class(L, HOST, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
