/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/http_client.h"
#include "net/listener.h"
#include "reload.h"
#include "script/chunks.h"
#include "watch.h"

enum { SIGNAL_COUNT = 4, ENDING_COUNT = 2, TRIM_PAUSE_MS = 5000, EMPTIED_SHARE = 8, EMPTIED_MIN = 64 };

typedef struct Server {
    const Config *config;
    Commons commons;
    Roster *roster;
    Reload *reload;
    Watch *watch; /* NULL: nobody asked for it */
    Buf watched;  /* its paths */
    Worker **workers;
    unsigned worker_count; /* made so far */
    unsigned started_count;
    uv_loop_t loop; /* of the main thread, which serves nobody */
    uv_signal_t signals[SIGNAL_COUNT];
    uv_timer_t trim; /* looks whether memory can be given back */
    int64_t most;    /* of what is counted for that, since the islands were asked */
} Server;

static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_line(LOG_WARN, "cannot raise the limit of open files");
}

static void log_state(void) {
    Buf text = BUF_NONE;
    metrics_encode(&text);
    Str rest = buf_str(&text);
    Str line;
    while (str_split(rest, '\n', &line, &rest)) {
        if (line.len > 0 && line.data[0] != '#') log_write(LOG_INFO, line, NULL, 0);
    }
    buf_deinit(&text);
}

static void on_signal(uv_signal_t *handle, int number) {
    Server *server = handle->data;
    if (number == SIGUSR1) {
        log_state();
        return;
    }
    if (number == SIGHUP) {
        reload_ask(&server->commons.bus);
        return;
    }
    log_line(LOG_INFO, "stopping");
    uv_stop(&server->loop);
}

static void on_change(void *context) {
    Server *server = context;
    log_line(LOG_INFO, "a file of the plugins has changed");
    reload_ask(&server->commons.bus);
}

/* What PLUGINS names, the shipped plugins, and their options. */
static void start_watch(Server *server) {
    const Config *config = server->config;
    if (!config->is_watching) return;
    buf_addf(&server->watched, "%s/plugins:%s/examples:%s/lua:.env:%s:%s", config->home, config->home,
             config->home, config_get(config, "PLUGIN_OPTIONS"), config_get(config, "PLUGINS"));
    server->watch = watch_open(&server->loop, buf_str(&server->watched), on_change, server);
}

/* Much of what the pools of the islands hold is gone, which cannot be seen from here otherwise. */
static bool has_emptied(Server *server) {
    int64_t count = metrics_sum(METRIC_connections) + metrics_sum(METRIC_users_online) +
                    metrics_sum(METRIC_subscriptions);
    if (count > server->most) server->most = count;
    if (count > server->most - server->most / EMPTIED_SHARE - EMPTIED_MIN) return false;
    server->most = count;
    return true;
}

static void on_trim(uv_timer_t *timer) {
    Server *server = timer->data;
    bool was_trimmed = mem_try_trim();
    if (has_emptied(server) || was_trimmed) bus_trim(&server->commons.bus);
}

static void start_trimming(Server *server) {
    uv_timer_init(&server->loop, &server->trim);
    server->trim.data = server;
    uv_timer_start(&server->trim, on_trim, TRIM_PAUSE_MS, TRIM_PAUSE_MS);
}

static int watch_signals(Server *server) {
    static const int numbers[SIGNAL_COUNT] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1}; /* ending ones first */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error of the write, like a full disk */
    if (uv_loop_init(&server->loop) != 0) return ERR_UNAVAILABLE;
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
    return 0;
}

/* A further one of these ends the process at once; the others must not, though nobody reads them any more. */
static void unwatch_ending(Server *server) {
    for (int i = 0; i < ENDING_COUNT; i++) uv_close((uv_handle_t *)&server->signals[i], NULL);
}

static void unwatch_all(Server *server) {
    for (int i = ENDING_COUNT; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    }
    uv_close((uv_handle_t *)&server->trim, NULL);
    watch_close(server->watch);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    uv_loop_close(&server->loop);
    buf_deinit(&server->watched);
}

static void log_bind_error(const Config *config, int err) {
    const char *host = config_get(config, "APP_HOST");
    log_line(LOG_ERROR, "cannot listen on %s port %u: %s; set APP_HOST and APP_PORT to a free address",
             host[0] ? host : "all interfaces", config->port,
             err == ERR_EXISTS ? "the address is in use" : err_text(err));
}

/* Makes worker number `index` with a socket of its own on the port that the first one got. */
static int add_worker(Server *server, unsigned index, uint16_t *port) {
    int fd;
    int err = listener_bind(config_get(server->config, "APP_HOST"), *port, &fd, port);
    if (err != 0) {
        log_bind_error(server->config, err);
        return err;
    }
    server->workers[index] = NULL;
    err = worker_new(&server->commons, index, fd, &server->workers[index]);
    if (server->workers[index] != NULL) server->worker_count++;
    return err;
}

/* The workers share the address, which would let a second server share it too. */
static int check_address(const Config *config) {
    int err = listener_probe(config_get(config, "APP_HOST"), config->port);
    if (err != 0) log_bind_error(config, err);
    return err;
}

static int add_workers(Server *server, uint16_t *port) {
    int err = 0;
    *port = server->config->port;
    chunks_start(); /* all run the same modules */
    for (unsigned i = 0; err == 0 && i < server->config->workers; i++)
        err = add_worker(server, i, port);
    chunks_stop();
    return err;
}

static int start_roster(Server *server) {
    Store *store = server->commons.store;
    server->commons.store = NULL;
    int err = roster_start(&server->commons.bus, store, &server->config->roster,
                           &worker_api(server->workers[0])->retention, &server->roster);
    if (err != 0) log_line(LOG_ERROR, "cannot load the store: %s", err_text(err));
    return err;
}

static int start_reload(Server *server) {
    int err = reload_start(&server->commons.bus, server->workers, &server->reload);
    if (err != 0) log_line(LOG_ERROR, "cannot start the thread of reloads: %s", err_text(err));
    return err;
}

static void log_listening(const Server *server, uint16_t port) {
    char number[16];
    char workers[16];
    snprintf(number, sizeof number, "%u", port);
    snprintf(workers, sizeof workers, "%u", server->worker_count);
    const char *host = config_get(server->config, "APP_HOST");
    LogField fields[] = {
        {"host", str_of(host[0] ? host : "*"), false},
        {"port", str_of(number), true},
        {"workers", str_of(workers), true},
        {"version", STR(CHATTY_VERSION), false},
    };
    log_write(LOG_INFO, STR("listening"), fields, 4);
}

static int start(Server *server) {
    uint16_t port;
    int err = check_address(server->config);
    if (err == 0) err = commons_start_jobs(&server->commons);
    if (err == 0) err = commons_open_store(&server->commons);
    if (err == 0) err = add_workers(server, &port);
    if (err == 0) err = start_roster(server);
    if (err == 0) err = start_reload(server);
    while (err == 0 && server->started_count < server->worker_count) {
        err = worker_start(server->workers[server->started_count]);
        if (err == 0) server->started_count++;
        if (err != 0) log_line(LOG_ERROR, "cannot start a worker: %s", err_text(err));
    }
    if (err == 0) log_listening(server, port);
    return err;
}

static void stop_workers(Server *server) {
    uv_sem_t quiet;
    ensure(uv_sem_init(&quiet, 0) == 0);
    for (unsigned i = 0; i < server->started_count; i++) worker_stop(server->workers[i], &quiet);
    if (server->started_count > 0) uv_sleep(server->config->stop_delay_ms); /* they serve until then */
    /* A worker is not quiet while it waits for a job. */
    if (server->commons.jobs != NULL) job_stop(server->commons.jobs);
    for (unsigned i = 0; i < server->started_count; i++) uv_sem_wait(&quiet);
    if (server->reload != NULL) reload_stop(server->reload);
    for (unsigned i = 0; i < server->started_count; i++) worker_join(server->workers[i]);
    uv_sem_destroy(&quiet);
}

static void stop(Server *server) {
    stop_workers(server);
    if (server->reload != NULL) reload_free(server->reload);
    if (server->roster != NULL) roster_stop(server->roster);
    for (unsigned i = 0; i < server->worker_count; i++) worker_free(server->workers[i]);
    commons_deinit(&server->commons);
    mem_free(server->workers);
}

int server_run(const Config *config) {
    Server server = {.config = config};
    mem_setup();
    raise_file_limit();
    http_client_setup();
    server.workers = mem_zalloc(config->workers * sizeof(Worker *));
    commons_init(&server.commons, config);
    int err = watch_signals(&server);
    if (err != 0) return err;
    start_watch(&server); /* what changes while the plugins are loaded is seen later */
    start_trimming(&server);
    err = start(&server);
    if (err == 0) uv_run(&server.loop, UV_RUN_DEFAULT);
    unwatch_ending(&server);
    stop(&server);
    unwatch_all(&server);
    if (err == 0) log_line(LOG_INFO, "stopped");
    return err;
}
