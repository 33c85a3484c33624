/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"

#include "api/api_request.h"
#include "api/carry.h"
#include "api/lua_args.h"
#include "api/states.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "script/task.h"

void api_open(Api *api) {
    lua_State *L = api->script->L;
    *(Api **)lua_getextraspace(L) = api;
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
#define API_PRELOAD(name)                  \
    lua_pushcfunction(L, api_open_##name); \
    lua_setfield(L, -2, "core." #name);
    API_MODULE_MAP(API_PRELOAD)
#undef API_PRELOAD
    lua_pop(L, 1);
#define API_OPEN(name) lua_pop(L, api_open_##name(L));
    API_CLASS_MAP(API_OPEN)
#undef API_OPEN
}

Api *api_new(const Api *model) {
    Api *api = mem_alloc(sizeof *api);
    *api = *model;
    list_init(&api->link);
    retention_init(&api->retention);
    lines_init(&api->lines);
    api->script = script_new(model->home);
    script_limit(api->script, &model->limits);
    api_open(api);
    metrics_add(METRIC_lua_states, 1);
    return api;
}

const RetentionRules *api_rules(const Api *api) {
    return &api->states->current->retention;
}

void api_free(Api *api) {
    list_remove(&api->link);
    script_free(api->script);
    retention_deinit(&api->retention);
    lines_deinit(&api->lines);
    mem_free(api);
    metrics_add(METRIC_lua_states, -1);
}

static int take_function(lua_State *L, int *reference, const char *name) {
    if (lua_getfield(L, -1, name) != LUA_TFUNCTION) {
        lua_pop(L, 1);
        return ERR_NOT_FOUND;
    }
    *reference = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* stack: init */
static int take_functions(Api *api, Buf *fault) {
    lua_State *L = api->script->L;
    int err = take_function(L, &api->on_request, "on_request");
    if (err == 0) err = take_function(L, &api->on_frame, "on_frame");
    if (err == 0) err = take_function(L, &api->on_packet, "on_packet");
    if (err == 0) err = take_function(L, &api->on_ack, "on_ack");
    if (err == 0) err = take_function(L, &api->on_connect, "on_connect");
    if (err == 0) err = take_function(L, &api->on_expiring, "on_expiring");
    if (err == 0) err = take_function(L, &api->on_disconnect, "on_disconnect");
    if (err == 0) err = take_function(L, &api->on_socket_message, "on_socket_message");
    if (err == 0) err = take_function(L, &api->on_socket_close, "on_socket_close");
    if (err == 0) err = take_function(L, &api->on_presence, "on_presence");
    if (err == 0) err = take_function(L, &api->on_parked, "on_parked");
    if (err == 0) err = take_function(L, &api->on_dropped, "on_dropped");
    if (err == 0) err = take_function(L, &api->on_socket_move, "on_socket_move");
    if (err != 0) buf_add(fault, STR("lua/init.lua is of another version than the program"));
    return err;
}

/* One line for whoever starts or reloads; the traceback is for those who look closer. */
static void describe_fault(const char *text, Buf *fault) {
    Str line;
    Str traceback;
    if (str_split(str_of(text), '\n', &line, &traceback)) {
        LogField field = {"traceback", traceback, false};
        log_write(LOG_DEBUG, line, &field, 1);
    }
    buf_add(fault, line);
}

int api_setup(Api *api, Buf *fault) {
    lua_State *L = api->script->L;
    int err = script_require(api->script, "init");
    if (err == 0) {
        lua_getfield(L, -1, "setup");
        err = script_call(api->script, 0, 0);
    }
    if (err != 0) {
        describe_fault(lua_tostring(L, -1), fault);
        return err;
    }
    err = take_functions(api, fault);
    lua_pop(L, 1);
    return err;
}

/* stack: the arguments -> result, or nothing when it failed */
static int call_init(Api *api, const char *name, int args, int results) {
    lua_State *L = api->script->L;
    int err = script_require(api->script, "init");
    if (err == 0) {
        lua_getfield(L, -1, name);
        lua_remove(L, -2);
        lua_insert(L, -args - 1);
        err = script_call(api->script, args, results);
    }
    if (err != 0) script_log_error(L, name);
    return err;
}

void api_take_over(Api *api, Api *old) {
    if (call_init(old, "unload", 0, 1) != 0) lua_pushnil(old->script->L);
    size_t left_out = 0; /* init.unload gives nothing that is left out */
    int err = carry_value(old->script->L, -1, api->script, &left_out);
    lua_pop(old->script->L, 1);
    if (err != 0) {
        script_log_error(api->script->L, "unload");
        lua_pushnil(api->script->L);
    }
    if (call_init(api, "load", 1, 0) != 0) lua_settop(api->script->L, 0);
}

static void start_init_task(Api *api, const char *name, TaskOnEnd on_end) {
    lua_State *L = api->script->L;
    if (script_require(api->script, "init") != 0) {
        script_log_error(L, name);
        on_end(api);
        return;
    }
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    lua_pushboolean(L, api->generation > 1);
    task_start(api->script, name, 1, on_end, api);
}

static void on_started(void *context) {
    (void)context; /* a failed start hook was logged; the server goes on */
}

void api_start(Api *api) {
    start_init_task(api, "start", on_started);
}

void api_leave(Api *api) {
    start_init_task(api, "leave", on_started);
}

static void on_stopped(void *context) {
    Api *api = context;
    api->is_stopped = true;
}

void api_stop(Api *api) {
    start_init_task(api, "stop", on_stopped);
}

void api_on_request(void *states, Request *request) {
    const Api *api = ((States *)states)->current;
    lua_State *L = api->script->L;
    push_request(L, request);
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_request);
    lua_pushvalue(L, -2);
    lua_pushboolean(L, request_is_plain(request));
    bool is_known = lines_push(&api->lines, L, request->line);
    if (!is_known) {
        push_str(L, request->method);
        push_str(L, request->path);
    }
    task_start_with(api->script, "request", is_known ? 3 : 5, on_request_end);
}

void api_on_presence(Api *api, Str user, bool is_online, uint64_t generation) {
    if (!api_hears(api, is_online ? API_HOOK_ONLINE : API_HOOK_OFFLINE)) return;
    lua_State *L = api->script->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_presence);
    lua_pushlstring(L, user.data, user.len);
    lua_pushboolean(L, is_online);
    lua_pushinteger(L, (lua_Integer)generation);
    task_start(api->script, "presence", 3, NULL, NULL);
}

void api_on_parked(Api *api, Str plugin, Str reason) {
    lua_State *L = api->script->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, api->on_parked);
    lua_pushlstring(L, plugin.data, plugin.len);
    lua_pushlstring(L, reason.data, reason.len);
    task_start(api->script, "parked", 2, NULL, NULL);
}
