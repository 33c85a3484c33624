/* SPDX-License-Identifier: Apache-2.0
 *
 * A reload in three steps: ROOM to all workers, so that no more than so many old states are kept; the states are
 * made here; SWAP to all workers, between two RULES to the roster. Each step waits for the answers of all. Whoever
 * asks between the first step and the making of the states gets this reload, whoever asks later the next one: he may
 * have changed a file.
 */
#include "reload.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"

struct Reload {
    Bus *bus;
    Worker *const *workers;
    Inbox inbox;
    sem_t mail;
    pthread_t thread;
    ReloadTurnWorkers turn_workers; /* NULL: a thread of its own waits for mail */
    void *context;                  /* of turn_workers */
    bool is_closing;
    uint64_t generation; /* that runs */
    Op *asked;           /* who waits for the next one, by op->next */
    unsigned pending;    /* answers of workers still to come */
    int error;           /* of one of them */
};

static void wake(void *context) {
    Reload *reload = context;
    ensure(sem_post(&reload->mail) == 0);
}

static void take_op(Reload *reload, Op *op) {
    if (op->is_answer) {
        if (op->error != 0) reload->error = op->error;
        reload->pending--;
        op_free(op);
    } else if (op->type == OP_RELOAD) {
        op->next = reload->asked;
        reload->asked = op;
    } else {
        ensure(op->type == OP_CLOSE);
        reload->is_closing = true;
        op_free(op);
    }
}

static void wait_for_mail(Reload *reload) {
    if (reload->turn_workers != NULL) {
        reload->turn_workers(reload->context);
        return;
    }
    while (sem_wait(&reload->mail) != 0) continue; /* interrupted */
}

static void take_mail(Reload *reload) {
    for (Op *op = inbox_take(&reload->inbox); op != NULL;) {
        Op *next = op->next;
        take_op(reload, op);
        op = next;
    }
}

static Op *worker_op(OpType type, uint64_t generation) {
    Op *op = op_new(type);
    op->origin = OP_ORIGIN_RELOAD;
    op->generation = generation;
    return op;
}

static int await_answers(Reload *reload) {
    while (reload->pending > 0) {
        wait_for_mail(reload);
        take_mail(reload);
    }
    int err = reload->error;
    reload->error = 0;
    return err;
}

static int ask_for_room(Reload *reload) {
    unsigned count = reload->bus->worker_count;
    reload->pending = count;
    for (unsigned i = 0; i < count; i++) bus_post(reload->bus, i, worker_op(OP_ROOM, 0));
    return await_answers(reload);
}

static void free_states(Api **states, unsigned count) {
    for (unsigned i = 0; i < count; i++) api_free(states[i]);
}

/* All or none; gives. */
static int make_states(const Reload *reload, unsigned count, Buf *fault, Api **states) {
    for (unsigned i = 0; i < count; i++) {
        int err = worker_prepare(reload->workers[i], reload->generation + 1, fault, &states[i]);
        if (err == 0) continue;
        free_states(states, i);
        return err;
    }
    return 0;
}

/* Which channels keep history: before the first worker goes by it, and, with is_all, when all do. */
static int tell_rules(Reload *reload, Bytes *rules, bool is_all) {
    Op *op = op_new(OP_RULES);
    op->origin = OP_ORIGIN_RELOAD;
    op->value = bytes_retain(rules);
    op->is_add = is_all;
    reload->pending = 1;
    bus_ask_roster(reload->bus, op);
    return await_answers(reload);
}

static Bytes *rules_of(const Api *state) {
    Buf row = BUF_NONE;
    retention_pack(&state->retention, &row);
    Bytes *rules = bytes_copy(buf_str(&row));
    buf_deinit(&row);
    return rules;
}

static int swap_all(Reload *reload, Api **states) {
    unsigned count = reload->bus->worker_count;
    reload->generation++;
    reload->pending = count;
    for (unsigned i = 0; i < count; i++) {
        Op *op = worker_op(OP_SWAP, reload->generation);
        op->cargo = states[i];
        bus_post(reload->bus, i, op);
    }
    return await_answers(reload);
}

static int swap_states(Reload *reload, Api **states) {
    Bytes *rules = rules_of(states[0]);
    int err = tell_rules(reload, rules, false);
    if (err == 0) {
        err = swap_all(reload, states);
        /* If it fails, which the roster logs, a crash will mean a gap where the rules are new. */
        if (err == 0) tell_rules(reload, rules, true);
    } else {
        free_states(states, reload->bus->worker_count);
    }
    bytes_release(rules);
    return err;
}

static int renew(Reload *reload, bool is_dry, Buf *fault) {
    Api *states[BUS_WORKERS_MAX];
    unsigned count = is_dry ? 1 : reload->bus->worker_count;
    int err = make_states(reload, count, fault, states);
    if (err != 0) return err;
    if (!is_dry) return swap_states(reload, states);
    free_states(states, count);
    return 0;
}

static void count_result(bool is_good) {
    metrics_add(is_good ? METRIC_reloads_total : METRIC_reload_failures_total, 1);
    metrics_add(METRIC_reload_generation, is_good ? 1 : 0);
    metrics_add(METRIC_reload_ok, (is_good ? 1 : 0) - metrics_sum(METRIC_reload_ok));
}

static void log_result(const Reload *reload, int err, const Buf *fault, uint64_t began_ms) {
    char generation[24];
    char took[24];
    snprintf(generation, sizeof generation, "%llu", (unsigned long long)reload->generation);
    snprintf(took, sizeof took, "%llu", (unsigned long long)(clock_monotonic_ms() - began_ms));
    LogField fields[] = {{"generation", str_of(generation), true},
                         {"milliseconds", str_of(took), true},
                         {"error", fault->len > 0 ? buf_str(fault) : str_of(err_text(err)), false}};
    if (err == 0) {
        log_write(LOG_INFO, STR("reloaded"), fields, 2);
    } else {
        log_write(LOG_ERROR, STR("not reloaded, the running plugins stay"), fields, 3);
    }
}

static void answer(const Reload *reload, Op *op, int err, const Buf *fault) {
    op->error = err;
    op->generation = reload->generation;
    if (fault->len > 0) op->value = bytes_copy(buf_str(fault));
    bus_answer(reload->bus, op);
}

static bool all_are_dry(const Op *op) {
    for (; op != NULL; op = op->next) {
        if (!op->is_dry) return false;
    }
    return true;
}

static void run_reload(Reload *reload) {
    Buf fault = BUF_NONE;
    int err = ask_for_room(reload);
    Op *served = reload->asked;
    reload->asked = NULL;
    uint64_t began_ms = clock_monotonic_ms();
    bool is_dry = all_are_dry(served);
    if (err == 0) err = renew(reload, is_dry, &fault);
    if (!is_dry) {
        count_result(err == 0);
        log_result(reload, err, &fault, began_ms);
    }
    while (served != NULL) {
        Op *next = served->next;
        answer(reload, served, err, &fault);
        served = next;
    }
    buf_deinit(&fault);
}

static void *run(void *context) {
    Reload *reload = context;
    log_name_thread("reload");
    metrics_join();
    metrics_add(METRIC_reload_generation, 1);
    metrics_add(METRIC_reload_ok, 1);
    while (!reload->is_closing || reload->asked != NULL) {
        if (reload->asked == NULL) {
            wait_for_mail(reload);
            take_mail(reload);
        }
        if (reload->asked != NULL) run_reload(reload);
    }
    script_leave_thread();
    return NULL;
}

bool reload_turn(Reload *reload) {
    take_mail(reload);
    if (reload->asked == NULL) return false;
    run_reload(reload);
    return true;
}

Reload *reload_open(Bus *bus, Worker *const *workers, ReloadTurnWorkers turn_workers, void *context) {
    Reload *reload = mem_zalloc(sizeof *reload);
    *reload =
        (Reload){.bus = bus, .workers = workers, .turn_workers = turn_workers, .context = context};
    reload->generation = 1;
    ensure(sem_init(&reload->mail, 0, 0) == 0);
    inbox_init(&reload->inbox, wake, reload);
    bus->reload = &reload->inbox;
    return reload;
}

int reload_start(Bus *bus, Worker *const *workers, Reload **out) {
    Reload *reload = reload_open(bus, workers, NULL, NULL);
    if (pthread_create(&reload->thread, NULL, run, reload) != 0) {
        reload_free(reload);
        return ERR_UNAVAILABLE;
    }
    *out = reload;
    return 0;
}

void reload_stop(Reload *reload) {
    inbox_post(&reload->inbox, op_new(OP_CLOSE));
    pthread_join(reload->thread, NULL);
}

void reload_free(Reload *reload) {
    inbox_deinit(&reload->inbox);
    sem_destroy(&reload->mail);
    mem_free(reload);
}

void reload_ask(Bus *bus) {
    bus_ask_reload(bus, op_new(OP_RELOAD));
}
