/* SPDX-License-Identifier: Apache-2.0
 *
 * Two Lua states meet here: that of the specs, which calls these functions, and that of the server under
 * test. What goes from one to the other is text.
 */
#include "trial_api.h"

#include <errno.h>
#include <unistd.h>

#include "api/lua_args.h"
#include "base/clock.h"
#include "script/task.h"
#include "trial.h"

static const char trial_type[] = "core.trial";
static const char pipe_type[] = "core.trial.pipe";

enum { READ_SIZE = 64 * 1024 };

static Trial **check_box(lua_State *L) {
    return luaL_checkudata(L, 1, trial_type);
}

static Trial *check_trial(lua_State *L) {
    Trial *trial = *check_box(L);
    luaL_argcheck(L, trial != NULL, 1, "the server of this test is closed");
    return trial;
}

static int push_logs(lua_State *L, Trial *trial) {
    Buf text = BUF_NONE;
    trial_logs(trial, &text);
    push_str(L, buf_str(&text));
    buf_deinit(&text);
    return 1;
}

/* stack: settings, plan, wall_ms, box. The userdata keeps the trial before anything of it can raise. */
static int start(lua_State *L, const char *home) {
    Config config;
    Script *script = script_of(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, script->L, 1);
    int err = config_init(&config, script, home);
    lua_pop(script->L, 1);
    if (err != 0) return luaL_argerror(L, 1, "no settings");
    config.trial = lua_tostring(L, 2);
    Trial **box = lua_touserdata(L, -1);
    err = trial_new(&config, (int64_t)lua_tointeger(L, 3), box);
    if (err == 0) return 1;
    lua_pushnil(L);
    push_logs(L, *box);
    trial_free(*box);
    *box = NULL;
    return 2;
}

static int f_new(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkstring(L, 2);
    luaL_checkinteger(L, 3);
    lua_settop(L, 3);
    Trial **box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = NULL;
    luaL_setmetatable(L, trial_type);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 1); /* config.trial points into it */
    return start(L, api_of(L)->home);
}

static int f_close(lua_State *L) {
    Trial **box = check_box(L);
    if (*box != NULL) trial_free(*box);
    *box = NULL;
    return 0;
}

static int f_settle(lua_State *L) {
    int err = trial_settle(check_trial(L));
    if (err != 0)
        return push_failure(L, err, "the server never comes to rest: something goes on for ever");
    lua_pushboolean(L, 1);
    return 1;
}

static int f_step(lua_State *L) {
    lua_pushboolean(L, trial_step(check_trial(L), (int64_t)luaL_checkinteger(L, 2)));
    return 1;
}

static int f_stop(lua_State *L) {
    trial_stop(check_trial(L));
    return 0;
}

static int f_now(lua_State *L) {
    check_trial(L);
    lua_pushinteger(L, clock_wall_ms());
    return 1;
}

static int f_logs(lua_State *L) {
    return push_logs(L, check_trial(L));
}

static int f_connect(lua_State *L) {
    Trial *trial = check_trial(L);
    int *pipe = lua_newuserdatauv(L, sizeof *pipe, 0);
    *pipe = -1;
    luaL_setmetatable(L, pipe_type);
    *pipe = trial_connect(trial);
    return *pipe < 0 ? push_failure(L, *pipe, NULL) : 1;
}

/* Calls test.agent.call(text, answer) there, as a task; gives the number of the answer, a table that the task
 * puts its text into. stack of the server's state: call, text, answer */
static int f_call(lua_State *L) {
    Script *script = trial_script(check_trial(L));
    Str text = check_str(L, 2);
    lua_State *S = script->L;
    if (script_require(script, "test.agent") != 0) {
        script_log_error(S, "test.agent");
        return 0;
    }
    lua_getfield(S, -1, "call");
    lua_remove(S, -2);
    push_str(S, text);
    lua_newtable(S);
    lua_pushvalue(S, -1);
    lua_pushinteger(L, luaL_ref(S, LUA_REGISTRYINDEX));
    task_start(script, "a call of the test", 2, NULL, NULL);
    return 1;
}

/* The text of an answer, once; nil: it has not come yet. */
static int f_answer(lua_State *L) {
    lua_State *S = trial_script(check_trial(L))->L;
    int number = (int)luaL_checkinteger(L, 2);
    int top = lua_gettop(S);
    bool is_there =
        lua_rawgeti(S, LUA_REGISTRYINDEX, number) == LUA_TTABLE && lua_rawgeti(S, -1, 1) == LUA_TSTRING;
    if (is_there) {
        size_t len;
        const char *text = lua_tolstring(S, -1, &len);
        lua_pushlstring(L, text, len);
        luaL_unref(S, LUA_REGISTRYINDEX, number);
    }
    lua_settop(S, top);
    return is_there ? 1 : 0;
}

static int *check_pipe(lua_State *L) {
    return luaL_checkudata(L, 1, pipe_type);
}

static int f_write(lua_State *L) {
    int fd = *check_pipe(L);
    Str bytes = check_str(L, 2);
    ssize_t count = fd < 0 ? -1 : write(fd, bytes.data, bytes.len);
    lua_pushinteger(L, count > 0 ? count : 0);
    return 1;
}

static int f_read(lua_State *L) {
    char bytes[READ_SIZE];
    int fd = *check_pipe(L);
    ssize_t count = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);
    bool is_over = count == 0 || (count < 0 && errno != EAGAIN);
    lua_pushlstring(L, bytes, count > 0 ? (size_t)count : 0);
    lua_pushboolean(L, is_over);
    return 2;
}

static int f_cut(lua_State *L) {
    int *pipe = check_pipe(L);
    if (*pipe >= 0) close(*pipe);
    *pipe = -1;
    return 0;
}

static const luaL_Reg lib[] = {{"new", f_new}, {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"settle", f_settle},   {"step", f_step},  {"now", f_now},       {"logs", f_logs},
    {"connect", f_connect}, {"call", f_call},  {"answer", f_answer}, {"stop", f_stop},
    {"close", f_close},     {"__gc", f_close}, {NULL, NULL},
};

static const luaL_Reg pipe_methods[] = {
    {"write", f_write}, {"read", f_read}, {"close", f_cut}, {"__gc", f_cut}, {NULL, NULL}};

static int open_module(lua_State *L) {
    push_class(L, trial_type, methods);
    push_class(L, pipe_type, pipe_methods);
    luaL_newlib(L, lib);
    return 1;
}

void trial_api_open(Script *script) {
    luaL_getsubtable(script->L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(script->L, open_module);
    lua_setfield(script->L, -2, "core.trial");
    lua_pop(script->L, 1);
}
