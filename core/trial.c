/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/json.h"
#include "base/mem.h"
#include "script/chunks.h"
#include "worker.h"

enum { TURNS_MAX = 100000, QUIET_TURNS = 2 };

/* Where the monotonic clock of every trial begins: deadlines of 0 mean none. */
enum { MONOTONIC_START_MS = 1000000 };

struct Trial {
    Config config;
    Commons commons;
    Roster *roster; /* NULL: it did not come so far */
    Worker *worker; /* likewise */
    Buf logs;       /* JSON objects, a comma before each but the first */
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
    return worker_api(trial->worker)->script;
}

static int start(Trial *trial) {
    int err = config_open_tokens(&trial->config);
    commons_init(&trial->commons, &trial->config);
    if (err == 0) err = commons_open_store(&trial->commons);
    Store *store = trial->commons.store;
    if (err == 0) err = worker_new(&trial->commons, 0, -1, &trial->worker);
    if (err == 0) {
        trial->commons.store = NULL;
        err = roster_open(&trial->commons.bus, store, &trial->config.roster, &trial->roster);
    }
    if (err == 0) worker_open(trial->worker);
    return err;
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

static bool turn(Trial *trial) {
    bool is_busy = worker_turn(trial->worker);
    return roster_turn(trial->roster) || is_busy;
}

int trial_settle(Trial *trial) {
    int quiet = 0;
    for (int i = 0; i < TURNS_MAX; i++) {
        quiet = turn(trial) ? 0 : quiet + 1;
        if (quiet == QUIET_TURNS) return 0;
    }
    return ERR_LIMIT;
}

int trial_connect(Trial *trial) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        return ERR_UNAVAILABLE;
    }
    worker_connect(trial->worker, ends[0]);
    return ends[1];
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    if (a == 0 || b == 0) return a + b;
    return a < b ? a : b;
}

bool trial_step(Trial *trial, int64_t until_ms) {
    int64_t left_ms = until_ms - clock_wall_ms();
    if (left_ms <= 0) return false;
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t next_ms =
        earlier(worker_next_deadline(trial->worker), roster_next_deadline(trial->roster));
    uint64_t to_ms = earlier(next_ms, now_ms + (uint64_t)left_ms);
    if (to_ms > now_ms) clock_move(to_ms - now_ms);
    return true;
}

void trial_free(Trial *trial) {
    if (trial->roster != NULL) {
        worker_close(trial->worker);
        if (trial_settle(trial) != 0)
            log_line(LOG_ERROR, "the end of the test does not come to an end");
        roster_close(trial->roster);
    }
    if (trial->worker != NULL) worker_free(trial->worker);
    commons_deinit(&trial->commons);
    config_deinit(&trial->config);
    clock_release();
    log_divert(NULL, NULL);
    buf_deinit(&trial->logs);
    mem_free(trial);
}
