/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/mem.h"
#include "config.h"
#include "data/digest.h"
#include "data/secret.h"
#include "script/chunks.h"
#include "server.h"
#include "trial_api.h"

extern char **environ;

enum { JSON_DEPTH = 128 }; /* before the settings are read */

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, PROGRAM_MAX = 4096 };

#define TOOL "/chatty-bench"

typedef struct Cli {
    Script *script;
    Api api;
    Config config;
    Keyring keys;
    Store *store; /* NULL unless the command works on it */
    bool has_config;
    bool is_verbose;
} Cli;

static int complain(const char *line) {
    fprintf(stderr, "chatty: %s\n", line);
    return EXIT_FAILED;
}

/* A failed script call: its message; with -v also the traceback, which is for those who develop. */
static int complain_of_script(const Cli *cli) {
    const char *text = lua_tostring(cli->script->L, -1);
    Str line;
    Str traceback;
    str_split(str_of(text ? text : "unknown error"), '\n', &line, &traceback);
    fprintf(stderr, "chatty: %.*s\n", STR_ARG(line));
    if (cli->is_verbose) fprintf(stderr, "%.*s\n", STR_ARG(traceback));
    return EXIT_FAILED;
}

static void push_arguments(lua_State *L, int argc, char **argv) {
    lua_createtable(L, argc, 0);
    for (int i = 1; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
}

static void push_environment(lua_State *L) {
    lua_newtable(L);
    for (char **at = environ; *at != NULL; at++) {
        const char *equals = strchr(*at, '=');
        if (equals == NULL) continue;
        lua_pushlstring(L, *at, (size_t)(equals - *at));
        lua_pushstring(L, equals + 1);
        lua_rawset(L, -3);
    }
}

/* Calls a function of lua/cli/main.lua with the `args` values on top of the stack. */
static int call_main(Cli *cli, const char *name, int args, int results) {
    lua_State *L = cli->script->L;
    int first = lua_gettop(L) - args + 1;
    if (script_require(cli->script, "cli.main") != 0) return ERR_INVALID;
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    lua_insert(L, first);
    return script_call(cli->script, args, results);
}

/* stack: call. Makes the Config of call.settings, and the key for those who need it. */
static int open_config(Cli *cli, const char *command) {
    lua_State *L = cli->script->L;
    int err = 0;
    if (lua_getfield(L, -1, "settings") == LUA_TTABLE) {
        err = config_init(&cli->config, cli->script, cli->api.home);
        cli->has_config = true;
        cli->api.settings = cli->config.settings;
        cli->api.setting_count = cli->config.setting_count;
        cli->api.json_depth_max = cli->config.json_depth_max;
        script_limit(cli->script, &cli->config.script);
    }
    lua_pop(L, 1);
    bool needs_key = strcmp(command, "serve") == 0 || strcmp(command, "token") == 0;
    if (err == 0 && cli->has_config && needs_key) err = config_open_tokens(&cli->config);
    keyring_init(&cli->keys, cli->config.tokens);
    cli->api.keys = &cli->keys;
    return err;
}

/* The store's file, beside a server that may run. */
static int open_store(Cli *cli) {
    const char *url = config_get(&cli->config, "STORE");
    if (strcmp(url, "memory") == 0) {
        complain("STORE is memory, which keeps nothing for a later server: set STORE=sqlite:PATH");
        return ERR_INVALID;
    }
    int err = store_open(str_of(url), false, &cli->store);
    if (err == 0) cli->api.store = cli->store;
    return err;
}

/* stack: call */
static int serve(Cli *cli) {
    lua_State *L = cli->script->L;
    log_setup(cli->config.log_level, cli->config.log_format);
    lua_pushvalue(L, -1);
    if (call_main(cli, "check", 1, 2) != 0) return complain_of_script(cli);
    if (lua_isnil(L, -2)) return complain(lua_tostring(L, -1));
    for (lua_Integer i = 1; lua_rawgeti(L, -2, i) == LUA_TSTRING; i++) {
        log_line(LOG_WARN, "%s", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    return server_run(&cli->config) == 0 ? EXIT_GOOD : EXIT_FAILED;
}

/* stack: call */
static int run_lua(Cli *cli) {
    lua_State *L = cli->script->L;
    lua_pushvalue(L, -1);
    if (call_main(cli, "run", 1, 1) != 0) return complain_of_script(cli);
    return (int)lua_tointeger(L, -1);
}

/* The path of this program, and of the load tool, which is built beside it. */
static bool find_programs(char program[PROGRAM_MAX], char tool[PROGRAM_MAX + sizeof TOOL]) {
    ssize_t len = readlink("/proc/self/exe", program, PROGRAM_MAX);
    if (len <= 0 || len == PROGRAM_MAX) return false;
    program[len] = '\0';
    snprintf(tool, PROGRAM_MAX + sizeof TOOL, "%.*s" TOOL, (int)(strrchr(program, '/') - program),
             program);
    return true;
}

/* stack: environment. Secrets go this way, for everybody can read the arguments of a program. */
static void set_environment(lua_State *L) {
    lua_pushnil(L);
    for (; lua_next(L, -2) != 0; lua_pop(L, 1)) {
        const char *value = lua_tostring(L, -1);
        if (value != NULL && value[0] != '\0') setenv(lua_tostring(L, -2), value, 1);
    }
}

/* stack: call. Becomes the load tool. */
static int run_bench(Cli *cli) {
    lua_State *L = cli->script->L;
    char program[PROGRAM_MAX];
    char tool[PROGRAM_MAX + sizeof TOOL];
    if (!find_programs(program, tool)) return complain("the program does not find itself");
    lua_pushvalue(L, -1);
    lua_pushstring(L, program);
    if (call_main(cli, "bench", 2, 2) != 0) return complain_of_script(cli);
    if (lua_isnil(L, -2)) return complain(lua_tostring(L, -1));
    set_environment(L);
    lua_pop(L, 1);
    size_t count = lua_rawlen(L, -1);
    char **argv = mem_zalloc((count + 2) * sizeof *argv);
    argv[0] = tool;
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        argv[i] = mem_copy(lua_tostring(L, -1), lua_rawlen(L, -1));
        lua_pop(L, 1);
    }
    execv(tool, argv);
    fprintf(stderr, "chatty: there is no load tool at %s: the target chatty-bench builds it\n", tool);
    return EXIT_FAILED;
}

static int run_command(Cli *cli) {
    lua_State *L = cli->script->L;
    lua_getfield(L, -1, "command");
    const char *command = lua_tostring(L, -1);
    lua_getfield(L, -2, "verbose");
    cli->is_verbose = lua_toboolean(L, -1);
    lua_pop(L, 2);
    if (strcmp(command, "version") == 0) {
        printf("chatty %s\n", CHATTY_VERSION);
        return EXIT_GOOD;
    }
    if (open_config(cli, command) != 0) return EXIT_FAILED;
    if (strcmp(command, "serve") == 0) return serve(cli);
    if (strcmp(command, "bench") == 0) return run_bench(cli);
    bool needs_store = strcmp(command, "user") == 0 || strcmp(command, "key") == 0;
    if (needs_store && open_store(cli) != 0) return EXIT_FAILED;
    return run_lua(cli);
}

static int prepare_and_run(Cli *cli, int argc, char **argv) {
    lua_State *L = cli->script->L;
    push_arguments(L, argc, argv);
    push_environment(L);
    if (call_main(cli, "prepare", 2, 3) != 0) return complain_of_script(cli);
    if (lua_isnil(L, -3)) {
        complain(lua_tostring(L, -2));
        return (int)lua_tointeger(L, -1);
    }
    lua_pop(L, 2);
    return run_command(cli);
}

int cli_main(int argc, char **argv) {
    if (secret_setup() != 0) return complain("the system gives no random numbers");
    if (digest_setup() != 0) return complain("libcrypto has no SHA-1");
    map_seed(secret_random_number());
    char *home = config_find_home();
    Cli cli = {.script = script_new(home)};
    cli.api = (Api){.script = cli.script,
                    .home = home,
                    .node_name = "tool",
                    .worker = -1,
                    .json_depth_max = JSON_DEPTH,
                    .worker_count = 0};
    api_open(&cli.api);
    trial_api_open(cli.script);
    int code = prepare_and_run(&cli, argc, argv);
    script_free(cli.script);
    chunks_stop();
    if (cli.store != NULL) store_close(cli.store);
    keyring_deinit(&cli.keys);
    if (cli.has_config) config_deinit(&cli.config);
    mem_free(home);
    return code;
}
