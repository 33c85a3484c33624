/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/conn.h"
#include "reload.h"
#include "script/chunks.h"

/* A flooded turn counts for as many others, which take as long. */
enum { TURNS_MAX = 100000, FLOODED_TURN = 200, QUIET_TURNS = 2 };

/* Where the monotonic clock of every trial begins: deadlines of 0 mean none. */
enum { MONOTONIC_START_MS = 1000000 };

struct Trial {
    Config config;
    Commons commons;
    Roster *roster; /* NULL: it did not come so far */
    Reload *reload; /* likewise */
    Worker **workers;
    unsigned worker_count; /* made so far */
    uv_sem_t quiet;        /* nobody waits for it: the caller turns until nothing is left to do */
    bool is_stopping;
    unsigned connections; /* all that were made: they go to the workers in turn */
    Buf logs;             /* JSON objects, a comma before each but the first */
};

static void add_fields(Buf *out, const LogField *fields, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0) buf_add_char(out, ',');
        json_encode_string(str_of(fields[i].name), out);
        buf_add_char(out, ':');
        if (fields[i].is_raw) {
            buf_add(out, fields[i].value);
        } else {
            json_encode_string(fields[i].value, out);
        }
    }
}

static void on_log(void *context, LogLevel level, Str message, const LogField *fields, size_t count) {
    Buf *out = &((Trial *)context)->logs;
    buf_addf(out, "%s{\"level\":\"%s\",\"message\":", out->len > 0 ? "," : "", log_level_name(level));
    json_encode_string(message, out);
    buf_add(out, STR(",\"fields\":{"));
    add_fields(out, fields, count);
    buf_add(out, STR("}}"));
}

void trial_logs(Trial *trial, Buf *out) {
    buf_add_char(out, '[');
    buf_add(out, buf_str(&trial->logs));
    buf_add_char(out, ']');
    trial->logs.len = 0;
}

Script *trial_script(const Trial *trial) {
    return worker_api(trial->workers[0])->script;
}

static WorkerTurn turn_workers(Trial *trial) {
    WorkerTurn most = WORKER_QUIET;
    for (unsigned i = 0; i < trial->worker_count; i++) {
        WorkerTurn one = worker_turn(trial->workers[i]);
        if (one > most) most = one;
    }
    return most;
}

static void on_reload_waits(void *context) {
    Trial *trial = context;
    turn_workers(trial);
    roster_turn(trial->roster);
}

static WorkerTurn turn(Trial *trial) {
    WorkerTurn most = turn_workers(trial);
    bool is_busy = roster_turn(trial->roster);
    is_busy = reload_turn(trial->reload) || is_busy;
    return most == WORKER_QUIET && is_busy ? WORKER_BUSY : most;
}

static int add_workers(Trial *trial) {
    trial->workers = mem_zalloc(trial->config.workers * sizeof(Worker *));
    for (unsigned i = 0; i < trial->config.workers; i++) {
        int err = worker_new(&trial->commons, i, -1, &trial->workers[i]);
        if (trial->workers[i] != NULL) trial->worker_count++;
        if (err != 0) return err;
    }
    return 0;
}

static int open_roster(Trial *trial) {
    Store *store = trial->commons.store;
    trial->commons.store = NULL;
    return roster_open(&trial->commons.bus, store, &trial->config.roster,
                       &worker_api(trial->workers[0])->retention, &trial->roster);
}

static int start(Trial *trial) {
    int err = config_open_tokens(&trial->config);
    ensure(uv_sem_init(&trial->quiet, 0) == 0);
    commons_init(&trial->commons, &trial->config);
    if (err == 0) err = commons_open_store(&trial->commons);
    if (err == 0) err = add_workers(trial);
    if (err == 0) err = open_roster(trial);
    if (err != 0) return err;
    trial->reload = reload_open(&trial->commons.bus, trial->workers, on_reload_waits, trial);
    for (unsigned i = 0; i < trial->worker_count; i++) worker_open(trial->workers[i]);
    return 0;
}

int trial_new(Config *config, int64_t wall_ms, Trial **out) {
    Trial *trial = mem_zalloc(sizeof *trial);
    trial->config = *config;
    *config = (Config){.home = NULL};
    signal(SIGPIPE, SIG_IGN);
    log_setup(trial->config.log_level, LOG_TEXT);
    log_divert(on_log, trial);
    clock_hold(wall_ms, MONOTONIC_START_MS);
    chunks_start();
    *out = trial;
    return start(trial);
}

int trial_settle(Trial *trial) {
    int quiet = 0;
    for (int left = TURNS_MAX; left > 0;) {
        WorkerTurn one = turn(trial);
        left -= one == WORKER_FLOODED ? FLOODED_TURN : 1;
        quiet = one == WORKER_QUIET ? quiet + 1 : 0;
        if (quiet == QUIET_TURNS) return 0;
    }
    return ERR_LIMIT;
}

int trial_connect(Trial *trial) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        return ERR_UNAVAILABLE;
    }
    worker_connect(trial->workers[trial->connections++ % trial->worker_count], ends[0]);
    return ends[1];
}

bool trial_step(Trial *trial, int64_t until_ms) {
    int64_t left_ms = until_ms - clock_wall_ms();
    if (left_ms <= 0) return false;
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t next_ms = roster_next_deadline(trial->roster);
    for (unsigned i = 0; i < trial->worker_count; i++) {
        const WheelTimer *timer = wheel_first(&worker_net(trial->workers[i])->wheel);
        if (timer != NULL) next_ms = clock_earlier(next_ms, timer->deadline_ms);
    }
    uint64_t to_ms = clock_earlier(next_ms, now_ms + (uint64_t)left_ms);
    if (to_ms > now_ms) clock_move(to_ms - now_ms);
    return true;
}

void trial_stop(Trial *trial) {
    if (trial->is_stopping) return;
    trial->is_stopping = true;
    for (unsigned i = 0; i < trial->worker_count; i++) worker_stop(trial->workers[i], &trial->quiet);
}

static void close_workers(Trial *trial) {
    for (unsigned i = 0; i < trial->worker_count; i++) conn_close_all(worker_net(trial->workers[i]));
    if (trial_settle(trial) == 0) return;
    /* What makes more and more to do cannot any more: it ends with an error that nobody reads. */
    for (unsigned i = 0; i < trial->worker_count; i++) worker_api(trial->workers[i])->net = NULL;
    if (trial_settle(trial) != 0) log_line(LOG_ERROR, "the server of the test does not end");
}

void trial_free(Trial *trial) {
    if (trial->roster != NULL) {
        close_workers(trial);
        roster_close(trial->roster);
    }
    for (unsigned i = 0; i < trial->worker_count; i++) worker_free(trial->workers[i]);
    if (trial->reload != NULL) reload_free(trial->reload);
    mem_free(trial->workers);
    uv_sem_destroy(&trial->quiet);
    commons_deinit(&trial->commons);
    config_deinit(&trial->config);
    clock_release();
    log_divert(NULL, NULL);
    buf_deinit(&trial->logs);
    mem_free(trial);
}
