/* SPDX-License-Identifier: Apache-2.0
 *
 * One round: take all ops that came in. Changes first, all in one transaction of the store (ledger.h,
 * journal.h). When it is committed, the workers get what follows of each, a CHANGE or the event, in their
 * order, and after that its caller the answer. Then the round's questions, joins and leaves, which so never
 * see what was not committed.
 *
 * A JOIN's answer and the CHANGE ops of later rounds lie in the same inbox in this order, so a new
 * session starts with all its channels and misses no change after them.
 */
#include "hub/roster.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "hub/ledger.h"
#include "hub/records.h"
#include "hub/search.h"

enum { STORE_POLL_MS = 500 };

struct Roster {
    Bus *bus;
    Store *store;
    RosterLimits limits;
    Graph graph; /* node->owner of a user is his Presence while he is online */
    Online online;
    Journal journal;
    Ledger ledger;
    Inbox inbox;
    pthread_t thread;
    pthread_mutex_t lock; /* guards has_mail */
    pthread_cond_t mail;
    bool has_mail;
    uint64_t poll_ms; /* when the store is asked next whether others changed it; 0: they cannot */
    bool is_closing;  /* the thread's own */
};

/* What one worker must hear of a change: its live users among the crowd. NULL: none. */
static Op *change_op(const Crowd *crowd, const Op *op, unsigned worker) {
    Str *users = mem_alloc(crowd->count * sizeof *users);
    size_t count = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        const Presence *presence = online_find(crowd->users[i]);
        if (presence == NULL || presence->per_worker[worker] == 0) continue;
        users[count++] = node_name(crowd->users[i]);
    }
    Op *change = NULL;
    if (count > 0) {
        change = op_new(OP_CHANGE);
        change->is_add = op->type == OP_SUBSCRIBE;
        change->users = names_new(users, count);
        change->channels = names_new(op->channels->items, op->channels->count);
    }
    mem_free(users);
    return change;
}

static bool is_subscription(const Op *op) {
    return op->type == OP_SUBSCRIBE || op->type == OP_UNSUBSCRIBE;
}

/* What the channel kept before is not for those who come now. */
static void note_newcomers(Roster *roster, const Undo *made, size_t count) {
    History *history = roster->bus->history;
    if (history == NULL || history_is_empty(history)) return;
    uint64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < count; i++) {
        if (!made[i].was_added) continue;
        history_note(history, node_name(made[i].user), node_name(made[i].channel), now_ms);
    }
}

static void tell_change(Roster *roster, const Op *op, const Crowd *crowd) {
    metrics_add(METRIC_changes_total, 1);
    for (unsigned i = 0; i < roster->bus->worker_count; i++) {
        Op *change = change_op(crowd, op, i);
        if (change != NULL) bus_post(roster->bus, i, change);
    }
}

/* Takes the op. */
static void emit(const Roster *roster, Op *op) {
    Notice *notice = notice_retain(op->notice);
    if (op->value != NULL) metrics_add(METRIC_history_written_total, 1);
    if (op->on_tally == NULL) {
        bus_notify(roster->bus, notice, op);
    } else {
        bus_notify_counted(roster->bus, op->origin, notice, false, op->on_tally, op->waiter);
        op_free(op);
    }
}

/* Takes the op. `made`: the changes of the ledger since those of the op before; gives how many are the op's. */
static size_t finish_change(Roster *roster, Op *op, const Crowd *crowd, const Undo *made) {
    size_t count = 0;
    if (op->error == ERR_LIMIT) metrics_add(METRIC_limit_hits_total, 1);
    if (op->error == 0 && !op->is_dry && is_subscription(op)) {
        count = op->changed_count;
        note_newcomers(roster, made, count);
        tell_change(roster, op, crowd);
    }
    if (op->error == 0 && op->type == OP_LOG) {
        emit(roster, op);
    } else {
        bus_answer(roster->bus, op);
    }
    return count;
}

static int apply(Roster *roster, Op *op, Crowd *crowd) {
    switch (op->type) {
    case OP_SUBSCRIBE:
    case OP_UNSUBSCRIBE: return ledger_apply(&roster->ledger, op, crowd);
    case OP_LOG: return journal_add(&roster->journal, op);
    case OP_RULES: return journal_change_rules(&roster->journal, op);
    default: return records_apply(roster->store, op);
    }
}

static int commit(Roster *roster, int err) {
    if (err == 0) err = journal_finish(&roster->journal);
    err = ledger_commit(&roster->ledger, err);
    journal_settle(&roster->journal, err);
    if (err != 0) log_line(LOG_ERROR, "the store did not commit: %s", err_text(err));
    return err;
}

static void run_changes(Roster *roster, Op **changes, size_t count) {
    Crowd *crowds = mem_zalloc(count * sizeof *crowds);
    int64_t before = (int64_t)roster->graph.edge_count;
    int err = ledger_begin(&roster->ledger);
    for (size_t i = 0; err == 0 && i < count; i++) err = apply(roster, changes[i], &crowds[i]);
    err = commit(roster, err);
    metrics_add(METRIC_subscriptions, (int64_t)roster->graph.edge_count - before);
    const Undo *made = roster->ledger.undos;
    for (size_t i = 0; i < count; i++) {
        if (err != 0) changes[i]->error = ERR_UNAVAILABLE;
        made += finish_change(roster, changes[i], &crowds[i], made);
        crowd_deinit(&crowds[i]);
    }
    ledger_end(&roster->ledger);
    mem_free(crowds);
}

static void count_online(const Roster *roster, int64_t users, int64_t sessions) {
    metrics_add(METRIC_users_online, (int64_t)roster->online.user_count - users);
    metrics_add(METRIC_sessions, (int64_t)roster->online.session_count - sessions);
}

/* The hooks of coming and going run on one worker: that of the session that made the difference. */
static void tell_presence(Roster *roster, const Presence *presence, bool is_online) {
    Op *op = op_new(OP_PRESENCE);
    op_set_name(op, node_name(presence->user));
    op->is_add = is_online;
    op->generation = presence->generation;
    bus_post(roster->bus, presence->worker, op);
}

static void run_join(Roster *roster, Op *op) {
    int64_t users = roster->online.user_count;
    int64_t sessions = roster->online.session_count;
    Node *user = graph_add_user(&roster->graph, op_name(op));
    const Presence *before = online_find(user);
    uint32_t of_user = before ? before->sessions : 0;
    const Presence *came = NULL;
    if (of_user >= roster->limits.sessions_per_user_max ||
        roster->online.session_count >= roster->limits.sessions_max) {
        op->error = ERR_LIMIT;
        metrics_add(METRIC_limit_hits_total, 1);
        graph_prune(&roster->graph, user);
    } else {
        came = online_join(&roster->online, user, op->origin);
        metrics_add(METRIC_sessions_opened_total, 1);
        op->channels = search_channels(user);
    }
    count_online(roster, users, sessions);
    bus_answer(roster->bus, op);
    if (came != NULL) tell_presence(roster, came, true);
}

static void run_leave(Roster *roster, Op *op) {
    int64_t users = roster->online.user_count;
    int64_t sessions = roster->online.session_count;
    Node *user = graph_find_user(&roster->graph, op_name(op));
    ensure(user != NULL);
    online_leave(&roster->online, user, op->origin, clock_monotonic_ms());
    count_online(roster, users, sessions);
    bus_answer(roster->bus, op);
}

static void run_op(Roster *roster, Op *op) {
    switch (op->type) {
    case OP_JOIN: run_join(roster, op); return;
    case OP_LEAVE: run_leave(roster, op); return;
    case OP_SUBSCRIPTIONS:
    case OP_PARTICIPANTS:
    case OP_USERS:
    case OP_COUNT:
        search_run(&roster->graph, &roster->online, op);
        bus_answer(roster->bus, op);
        return;
    case OP_ORIGINS:
        search_origins(&roster->graph, roster->store, op);
        bus_answer(roster->bus, op);
        return;
    case OP_GET:
    case OP_EACH:
        records_read(roster->store, op);
        bus_answer(roster->bus, op);
        return;
    case OP_TRIM:
        graph_trim(&roster->graph);
        online_trim(&roster->online);
        store_trim(roster->store);
        mem_trim_end();
        op_free(op);
        return;
    case OP_CLOSE:
        roster->is_closing = true;
        op_free(op);
        return;
    default: ensure(!"an op of another island");
    }
}

static bool is_change(const Op *op) {
    return is_subscription(op) || op->type == OP_LOG || op->type == OP_RULES || op->type == OP_PUT ||
           op->type == OP_ERASE;
}

static void run_round(Roster *roster, Op *ops) {
    size_t count = 0;
    for (const Op *op = ops; op != NULL; op = op->next) count += is_change(op);
    Op **changes = mem_alloc(count * sizeof *changes);
    Op *others = NULL;
    Op **last = &others;
    count = 0;
    for (Op *op = ops; op != NULL; op = op->next) {
        if (is_change(op)) {
            changes[count++] = op;
        } else {
            *last = op;
            last = &op->next;
        }
    }
    *last = NULL;
    if (count > 0) run_changes(roster, changes, count);
    mem_free(changes);
    while (others != NULL) {
        Op *op = others;
        others = op->next;
        run_op(roster, op);
    }
}

static bool drop_gone(Roster *roster) {
    const Presence *gone;
    bool has_dropped = false;
    while ((gone = online_first_gone(&roster->online, clock_monotonic_ms())) != NULL) {
        Node *user = gone->user;
        tell_presence(roster, gone, false);
        online_drop(&roster->online, gone);
        graph_prune(&roster->graph, user);
        has_dropped = true;
    }
    return has_dropped;
}

static void look_for_changes(Roster *roster) {
    uint64_t now_ms = clock_monotonic_ms();
    if (roster->poll_ms == 0 || now_ms < roster->poll_ms) return;
    roster->poll_ms = now_ms + STORE_POLL_MS;
    records_tell_changes(roster->store, roster->bus);
}

uint64_t roster_next_deadline(const Roster *roster) {
    uint64_t gone_ms = online_next_deadline(&roster->online);
    if (gone_ms == 0 || roster->poll_ms == 0) return gone_ms + roster->poll_ms;
    return gone_ms < roster->poll_ms ? gone_ms : roster->poll_ms;
}

bool roster_turn(Roster *roster) {
    bool has_dropped = drop_gone(roster);
    look_for_changes(roster);
    Op *ops = inbox_take(&roster->inbox);
    if (ops != NULL) run_round(roster, ops);
    return has_dropped || ops != NULL;
}

/* Until there is mail, or the grace of a user is over, or the store is to be looked at. */
static void wait_for_mail(Roster *roster) {
    uint64_t deadline_ms = roster_next_deadline(roster);
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    int status = 0;
    pthread_mutex_lock(&roster->lock);
    while (!roster->has_mail && status != ETIMEDOUT) {
        status = deadline_ms == 0 ? pthread_cond_wait(&roster->mail, &roster->lock)
                                  : pthread_cond_timedwait(&roster->mail, &roster->lock, &until);
    }
    roster->has_mail = false;
    pthread_mutex_unlock(&roster->lock);
}

static void *run_thread(void *context) {
    Roster *roster = context;
    log_name_thread("roster");
    metrics_join();
    while (!roster->is_closing) {
        wait_for_mail(roster);
        roster_turn(roster);
    }
    return NULL;
}

static void wake(void *context) {
    Roster *roster = context;
    pthread_mutex_lock(&roster->lock);
    roster->has_mail = true;
    pthread_mutex_unlock(&roster->lock);
    pthread_cond_signal(&roster->mail);
}

static void on_subscription(void *context, Str user, Str channel, uint64_t mark) {
    Roster *roster = context;
    History *history = roster->bus->history;
    if (mark > 0 && history != NULL) {
        history_restore_newcomer(history, user, channel, mark, clock_monotonic_ms());
    }
    graph_add_edge(&roster->graph, graph_add_user(&roster->graph, user),
                   graph_add_channel(&roster->graph, channel));
}

void roster_close(Roster *roster) {
    ledger_deinit(&roster->ledger);
    journal_deinit(&roster->journal);
    online_deinit(&roster->online);
    graph_deinit(&roster->graph);
    inbox_deinit(&roster->inbox);
    store_close(roster->store);
    pthread_mutex_destroy(&roster->lock);
    pthread_cond_destroy(&roster->mail);
    mem_free(roster);
}

int roster_open(Bus *bus, Store *store, const RosterLimits *limits, const RetentionRules *rules,
                Roster **out) {
    Roster *roster = mem_zalloc(sizeof *roster);
    roster->bus = bus;
    roster->store = store;
    roster->limits = *limits;
    ensure(pthread_mutex_init(&roster->lock, NULL) == 0);
    pthread_condattr_t monotonic;
    ensure(pthread_condattr_init(&monotonic) == 0);
    ensure(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    ensure(pthread_cond_init(&roster->mail, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    graph_init(&roster->graph);
    online_init(&roster->online, bus->worker_count, limits->offline_grace_ms);
    journal_init(&roster->journal, store, bus->history);
    ledger_init(&roster->ledger, &roster->graph, &roster->journal, limits->subscriptions_per_user_max);
    roster->ledger.subscriptions_max = limits->subscriptions_max;
    inbox_init(&roster->inbox, wake, roster);
    int err = store_load(store, on_subscription, roster);
    if (err == 0 && rules != NULL) err = journal_start(&roster->journal, rules);
    if (err != 0) {
        roster_close(roster);
        return err;
    }
    metrics_add(METRIC_subscriptions, (int64_t)roster->graph.edge_count);
    if (store_can_be_changed(store)) roster->poll_ms = 1;
    bus->roster = &roster->inbox;
    *out = roster;
    return 0;
}

int roster_start(Bus *bus, Store *store, const RosterLimits *limits, const RetentionRules *rules,
                 Roster **out) {
    int err = roster_open(bus, store, limits, rules, out);
    if (err == 0) ensure(pthread_create(&(*out)->thread, NULL, run_thread, *out) == 0);
    return err;
}

static void stop_journal(Roster *roster) {
    int err = journal_stop(&roster->journal);
    if (err != 0) log_line(LOG_ERROR, "the end of the history could not be kept: %s", err_text(err));
}

void roster_stop(Roster *roster) {
    inbox_post(&roster->inbox, op_new(OP_CLOSE));
    pthread_join(roster->thread, NULL);
    stop_journal(roster);
    roster_close(roster);
}
