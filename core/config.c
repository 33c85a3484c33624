/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/lua_args.h"
#include "base/buf.h"
#include "base/mem.h"

enum { WS_POOL_MAX = 64, KEY_FILE_MAX = 64 * 1024 };

static bool has_lua(const char *home) {
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/lua/init.lua", home);
    return len > 0 && (size_t)len < sizeof path && access(path, R_OK) == 0;
}

/* build/chatty has its home above, an installed bin/chatty in ../share/chatty. */
static char *home_of_program(void) {
    static const char *const places[] = {"", "/..", "/../share/chatty"};
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len <= 0) return NULL;
    program[len] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL) return NULL;
    *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char home[4200];
        snprintf(home, sizeof home, "%s%s", program, places[i]);
        char *real = has_lua(home) ? realpath(home, NULL) : NULL;
        if (real == NULL) continue;
        char *copy = mem_copy(real, strlen(real));
        free(real);
        return copy;
    }
    return NULL;
}

char *config_find_home(void) {
    const char *named = getenv("CHATTY_HOME");
    if (named != NULL && named[0] != '\0') return mem_copy(named, strlen(named));
    char *home = home_of_program();
    return home ? home : mem_copy(CHATTY_HOME, strlen(CHATTY_HOME));
}

const char *config_get(const Config *config, const char *name) {
    for (size_t i = 0; i < config->setting_count; i++) {
        if (strcmp(config->settings[i].name, name) == 0) return config->settings[i].value;
    }
    return "";
}

/* stack: settings (name -> text) */
static void copy_settings(Config *config, lua_State *L) {
    size_t count = 0;
    lua_pushnil(L);
    for (; lua_next(L, -2) != 0; count++) lua_pop(L, 1);
    config->settings = mem_zalloc((count + 1) * sizeof *config->settings);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        size_t name_len;
        size_t value_len;
        const char *name = lua_tolstring(L, -2, &name_len);
        const char *value = lua_tolstring(L, -1, &value_len);
        config->settings[config->setting_count++] =
            (Setting){mem_copy(name, name_len), mem_copy(value ? value : "", value_len)};
        lua_pop(L, 1);
    }
}

/* The typed values lie on top of the stack: sizes in bytes, durations in seconds. */
static uint32_t number_of(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    lua_Number value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value >= UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static uint64_t size_of(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    lua_Number value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return (uint64_t)value;
}

static uint32_t ms_of(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    lua_Number seconds = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return (uint32_t)(seconds * 1000 + 0.5);
}

static uint32_t share(uint32_t total, unsigned workers) {
    return total / workers + (total % workers != 0);
}

static void read_net(Config *config, lua_State *L) {
    NetLimits *net = &config->net;
    net->header_bytes_max = number_of(L, "HEADER_MAX");
    net->url_bytes_max = number_of(L, "URL_MAX");
    net->headers_max = number_of(L, "HEADERS_MAX");
    net->body_bytes_max = size_of(L, "MAX_REQ_SIZE");
    net->request_memory_max = size_of(L, "REQUEST_MEMORY_MAX") / config->workers;
    /* One body of the largest size is welcome on every worker, however many there are. */
    if (net->request_memory_max < net->body_bytes_max) net->request_memory_max = net->body_bytes_max;
    net->header_timeout_ms = ms_of(L, "HEADER_TIMEOUT");
    net->body_timeout_ms = ms_of(L, "BODY_TIMEOUT");
    net->body_rate_min = number_of(L, "BODY_RATE_MIN");
    net->idle_timeout_ms = ms_of(L, "IDLE_TIMEOUT");
    net->write_timeout_ms = ms_of(L, "WRITE_TIMEOUT");
    net->pipeline_bytes_max = number_of(L, "PIPELINE_MAX");
    net->connections_max = share(number_of(L, "CONNECTIONS_MAX"), config->workers);
    net->queue_age_max_ms = ms_of(L, "SESSION_QUEUE_AGE");
    net->queue_bytes_max = number_of(L, "SESSION_QUEUE_MAX");
    net->queues_bytes_max = size_of(L, "QUEUES_MAX");
    net->ping_interval_ms = ms_of(L, "PING_INTERVAL");
    net->ping_timeout_ms = ms_of(L, "PING_TIMEOUT");
    net->close_timeout_ms = ms_of(L, "CLOSE_TIMEOUT");
    net->upgrade_timeout_ms = ms_of(L, "AUTH_TIMEOUT");
    net->connect_timeout_ms = ms_of(L, "AUTH_TIMEOUT");
    net->polling_bytes_max = (uint32_t)size_of(L, "POLLING_MAX");
    net->attachments_max = number_of(L, "ATTACHMENTS_MAX");
    net->namespaces_max = number_of(L, "NAMESPACES_MAX");
    net->json_depth_max = number_of(L, "JSON_DEPTH_MAX");
    net->ws.message_bytes_max = size_of(L, "FRAME_MAX");
    net->ws.fragments_max = number_of(L, "FRAGMENTS_MAX");
    net->ws.pool_max = WS_POOL_MAX;
}

static void read_http(Config *config, lua_State *L) {
    HttpClientLimits *http = &config->http;
    http->calls_max = share(number_of(L, "HTTP_CALLS_MAX"), config->workers);
    http->waiting_max = share(number_of(L, "HTTP_CALLS_WAITING_MAX"), config->workers);
    http->body_bytes_max = size_of(L, "HTTP_BODY_MAX");
    http->memory_max = size_of(L, "HTTP_MEMORY_MAX") / config->workers;
    /* One body of the largest size each way is welcome on every worker. */
    if (http->memory_max < 2 * http->body_bytes_max) http->memory_max = 2 * http->body_bytes_max;
    const char *file = config_get(config, "HTTP_CA_FILE");
    http->ca_file = file[0] ? file : NULL;
}

/* A body of the largest size can be read by a plugin, as text and decoded. */
static void read_script(Config *config, lua_State *L) {
    ScriptLimits *script = &config->script;
    script->budget_ms = ms_of(L, "SCRIPT_BUDGET");
    script->setup_budget_ms = ms_of(L, "SCRIPT_SETUP_BUDGET");
    script->pattern_steps_max = number_of(L, "PATTERN_STEPS_MAX");
    script->memory_max = size_of(L, "SCRIPT_MEMORY_MAX");
    script->value_max = size_of(L, "SCRIPT_VALUE_MAX");
    size_t body_max = size_of(L, "MAX_REQ_SIZE");
    if (script->value_max < 2 * body_max) script->value_max = 2 * body_max;
    if (script->memory_max < 16 * body_max) script->memory_max = 16 * body_max;
}

/* What a setting says, or so many as there are cores for each, at least one. */
static unsigned count_threads(uint32_t wanted, long cores_each, unsigned max) {
    if (wanted > 0) return wanted;
    long count = sysconf(_SC_NPROCESSORS_ONLN) / cores_each;
    if (count < 1) return 1;
    return count > (long)max ? max : (unsigned)count;
}

/* stack: values */
static void read_values(Config *config, lua_State *L) {
    config->workers = count_threads(number_of(L, "WORKERS"), 1, BUS_WORKERS_MAX);
    config->password_threads = count_threads(number_of(L, "PASSWORD_THREADS"), 2, JOB_THREADS_MAX);
    config->port = (uint16_t)number_of(L, "APP_PORT");
    config->expiring_notice_ms = ms_of(L, "EXPIRING_NOTICE");
    config->json_depth_max = number_of(L, "JSON_DEPTH_MAX");
    config->stop_timeout_ms = ms_of(L, "STOP_TIMEOUT");
    config->stop_delay_ms = ms_of(L, "STOP_DELAY");
    config->stop_spread_ms = ms_of(L, "STOP_SPREAD");
    if (config->stop_spread_ms > config->stop_timeout_ms / 2) {
        config->stop_spread_ms = config->stop_timeout_ms / 2;
    }
    config->reload_timeout_ms = ms_of(L, "RELOAD_TIMEOUT");
    config->reload_old_max = number_of(L, "RELOAD_OLD_MAX");
    config->is_watching = strcmp(config_get(config, "WATCH"), "true") == 0;
    config->jwt_leeway_s = ms_of(L, "JWT_LEEWAY") / 1000;
    config->password_jobs_max = number_of(L, "PASSWORD_JOBS_MAX");
    config->roster.subscriptions_per_user_max = number_of(L, "SUBSCRIPTIONS_PER_USER_MAX");
    config->roster.subscriptions_max = number_of(L, "SUBSCRIPTIONS_MAX");
    config->roster.sessions_per_user_max = number_of(L, "SESSIONS_PER_USER_MAX");
    config->roster.offline_grace_ms = ms_of(L, "OFFLINE_GRACE");
    config->roster.sessions_max = number_of(L, "SESSIONS_MAX");
    config->dropped_max = number_of(L, "DROPPED_MAX");
    config->metric_series_max = number_of(L, "METRIC_SERIES_MAX");
    config->shared.entries_max = number_of(L, "SHARED_ENTRIES_MAX");
    config->history_bytes_max = size_of(L, "HISTORY_MEMORY_MAX");
    config->trace_bytes_max = size_of(L, "TRACE_MEMORY_MAX");
    config->replay_max = number_of(L, "REPLAY_MAX");
    config->shared.bytes_max = size_of(L, "SHARED_MEMORY_MAX");
    read_http(config, L);
    read_net(config, L);
    read_script(config, L);
}

static void read_log(Config *config) {
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    const char *level = config_get(config, "LOG_LEVEL");
    config->log_level = LOG_INFO;
    for (int i = 0; i < 4; i++) {
        if (strcmp(levels[i], level) == 0) config->log_level = (LogLevel)i;
    }
    config->log_format = strcmp(config_get(config, "LOG_FORMAT"), "json") == 0 ? LOG_JSON : LOG_TEXT;
}

static int read_key_file(const char *setting, const char *path, Buf *out) {
    FILE *file = fopen(path, "rbe");
    if (file != NULL) {
        buf_reserve(out, KEY_FILE_MAX);
        out->len = fread(out->data, 1, KEY_FILE_MAX, file);
        fclose(file);
    }
    if (out->len > 0) return 0;
    fprintf(stderr, "chatty: %s is \"%s\": the file cannot be read, or is empty\n", setting, path);
    return ERR_NOT_FOUND;
}

static int read_keys(const Config *config, Buf *public_key, Buf *private_key) {
    const char *public_file = config_get(config, "JWT_PUBLIC_KEY_FILE");
    const char *private_file = config_get(config, "JWT_PRIVATE_KEY_FILE");
    int err = 0;
    if (public_file[0]) err = read_key_file("JWT_PUBLIC_KEY_FILE", public_file, public_key);
    if (err == 0 && private_file[0]) {
        err = read_key_file("JWT_PRIVATE_KEY_FILE", private_file, private_key);
    }
    return err;
}

int config_open_tokens(Config *config) {
    Buf public_key = BUF_NONE;
    Buf private_key = BUF_NONE;
    int err = read_keys(config, &public_key, &private_key);
    TokenSettings settings = {
        .algorithm = str_of(config_get(config, "JWT_ALGORITHM")),
        .secret = str_of(config_get(config, "JWT_SECRET")),
        .public_key = buf_str(&public_key),
        .private_key = buf_str(&private_key),
        .issuer = str_of(config_get(config, "JWT_ISSUER")),
        .audience = str_of(config_get(config, "JWT_AUDIENCE")),
        .leeway_s = config->jwt_leeway_s,
    };
    bool is_shared = str_has_prefix(settings.algorithm, STR("HS"));
    bool has_key = is_shared ? settings.secret.len > 0 : public_key.len > 0;
    if (err == 0 && has_key && token_policy_new(&settings, &config->tokens) != 0) {
        fprintf(stderr, "chatty: JWT_PUBLIC_KEY_FILE and JWT_PRIVATE_KEY_FILE must be PEM files\n");
        err = ERR_INVALID;
    }
    buf_deinit(&public_key);
    buf_deinit(&private_key);
    return err;
}

static void name_node(Config *config) {
    char host[64] = "node";
    if (gethostname(host, sizeof host - 1) != 0) snprintf(host, sizeof host, "node");
    snprintf(config->node_name, sizeof config->node_name, "%s-%ld", host, (long)getpid());
}

int config_init(Config *config, Script *script, const char *home) {
    lua_State *L = script->L;
    *config = (Config){.home = mem_copy(home, strlen(home))};
    copy_settings(config, L);
    name_node(config);
    read_log(config);
    int err = script_require(script, "settings.options");
    if (err == 0) {
        lua_getfield(L, -1, "parse");
        lua_remove(L, -2);
        lua_pushvalue(L, -2);
        err = script_call(script, 1, 1);
    }
    if (err != 0) {
        fprintf(stderr, "chatty: %s\n", lua_tostring(L, -1));
    } else {
        read_values(config, L);
    }
    lua_pop(L, 1);
    return err;
}

void config_deinit(Config *config) {
    for (size_t i = 0; i < config->setting_count; i++) {
        mem_free(config->settings[i].name);
        mem_free(config->settings[i].value);
    }
    mem_free(config->settings);
    mem_free(config->home);
    token_policy_free(config->tokens);
}
