/* SPDX-License-Identifier: Apache-2.0
 *
 * The locks: a notify takes the locks of all shards its names fall into, in rising order, so two of
 * them never wait for each other; posting is all that happens inside. Copies of the Op are made before.
 * An event that is kept takes the lock of History inside them, and so has one order with all kept events.
 *
 * The gather: an operation that all workers count is posted once to each. Every copy travels back to
 * the origin as an answer and meets the others in a Gather that lives there, so no lock is needed.
 */
#include "hub/bus.h"

#include "base/clock.h"
#include "base/ensure.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metrics.h"

typedef struct Gather {
    unsigned pending; /* answers still to come */
    Tally *tally;     /* NULL when sessions are counted only */
    uint64_t sessions;
    OpOnTally on_tally;
    BusOnCount on_count;
    BusOnTexts on_texts;
    unsigned text_count;
    Bytes **texts; /* room for one of each worker; NULL: none are gathered */
    void *waiter;
} Gather;

void bus_init(Bus *bus) {
    *bus = (Bus){.worker_count = 0, .roster = NULL};
    for (int i = 0; i < BUS_SHARDS; i++) ensure(pthread_mutex_init(&bus->shards[i], NULL) == 0);
}

void bus_deinit(Bus *bus) {
    for (int i = 0; i < BUS_SHARDS; i++) pthread_mutex_destroy(&bus->shards[i]);
}

static uint64_t shards_of(const Notice *notice) {
    uint64_t mask = 0;
    for (uint32_t i = 0; i < notice->target_count; i++) {
        mask |= 1ULL << (map_hash(notice->targets[i].name) % BUS_SHARDS);
    }
    return mask;
}

static void lock_shards(Bus *bus, uint64_t mask) {
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        pthread_mutex_lock(&bus->shards[__builtin_ctzll(rest)]);
    }
}

static void unlock_shards(Bus *bus, uint64_t mask) {
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        pthread_mutex_unlock(&bus->shards[__builtin_ctzll(rest)]);
    }
}

/* Whoever gets the answer may at once ask any worker for something: all have the event then. */
static void post_each(Bus *bus, Op **ops, Op *answer) {
    unsigned origin = answer != NULL ? answer->origin : bus->worker_count;
    for (unsigned i = 0; i < bus->worker_count; i++) {
        if (i != origin) inbox_post(bus->workers[i], ops[i]);
    }
    if (answer == NULL) return;
    answer->is_answer = true;
    ops[origin]->next = answer;
    inbox_post_list(bus->workers[origin], ops[origin], answer);
}

/* Posts one op per worker, in the order of the notice's channels. */
static void post_ordered(Bus *bus, Op **ops, Notice *notice, Op *answer) {
    uint64_t mask = shards_of(notice);
    bool is_kept = notice->is_kept && !ops[0]->is_dry;
    lock_shards(bus, mask);
    if (is_kept) {
        history_lock(bus->history);
        history_add(bus->history, notice, clock_monotonic_ms());
    }
    post_each(bus, ops, answer);
    if (is_kept) history_unlock(bus->history);
    unlock_shards(bus, mask);
}

uint64_t bus_notify(Bus *bus, Notice *notice, Op *answer) {
    Op *ops[BUS_WORKERS_MAX];
    for (unsigned i = 0; i < bus->worker_count; i++) {
        ops[i] = op_new(OP_NOTIFY);
        ops[i]->notice = notice_retain(notice);
    }
    post_ordered(bus, ops, notice, answer);
    uint64_t sequence = notice->last_sequence;
    notice_release(notice);
    return sequence;
}

static void finish_gather(Gather *gather) {
    if (gather->on_tally != NULL) gather->on_tally(gather->waiter, gather->tally);
    if (gather->on_count != NULL) gather->on_count(gather->waiter, gather->sessions);
    if (gather->on_texts != NULL) {
        gather->on_texts(gather->waiter, gather->texts, gather->text_count);
    }
    for (unsigned i = 0; i < gather->text_count; i++) bytes_release(gather->texts[i]);
    mem_free(gather->texts);
    tally_free(gather->tally);
    mem_free(gather);
}

static void on_gathered(Op *op, void *waiter) {
    Gather *gather = waiter;
    if (op->tally != NULL) {
        tally_merge(gather->tally, op->tally);
        gather->tally->sequence = op->notice->last_sequence;
    }
    gather->sessions += op->sessions_count;
    if (gather->texts != NULL) gather->texts[gather->text_count++] = bytes_retain(op->value);
    if (--gather->pending == 0) finish_gather(gather);
}

static Gather *gather_new(const Bus *bus, void *waiter) {
    Gather *gather = mem_zalloc(sizeof *gather);
    gather->pending = bus->worker_count;
    gather->waiter = waiter;
    return gather;
}

static Op *gathered_op(OpType type, unsigned origin, Gather *gather) {
    Op *op = op_new(type);
    op->origin = (uint16_t)origin;
    op->on_answer = on_gathered;
    op->waiter = gather;
    return op;
}

void bus_notify_counted(Bus *bus, unsigned origin, Notice *notice, bool is_dry, OpOnTally on_tally,
                        void *waiter) {
    Gather *gather = gather_new(bus, waiter);
    gather->on_tally = on_tally;
    gather->tally = tally_new(notice->target_count);
    Op *ops[BUS_WORKERS_MAX];
    for (unsigned i = 0; i < bus->worker_count; i++) {
        ops[i] = gathered_op(OP_NOTIFY, origin, gather);
        ops[i]->notice = notice_retain(notice);
        ops[i]->tally = tally_new(notice->target_count);
        ops[i]->is_dry = is_dry;
    }
    post_ordered(bus, ops, notice, NULL);
    notice_release(notice);
}

void bus_inquire(Bus *bus, unsigned origin, const Inquiry *inquiry, BusOnTexts on_texts, void *waiter) {
    Gather *gather = gather_new(bus, waiter);
    gather->on_texts = on_texts;
    gather->texts = mem_alloc(bus->worker_count * sizeof *gather->texts);
    for (unsigned i = 0; i < bus->worker_count; i++) {
        Op *op = gathered_op(OP_INQUIRY, origin, gather);
        if (inquiry->user.data != NULL) op_set_name(op, inquiry->user);
        op_set_after(op, inquiry->user.data != NULL ? inquiry->ack : inquiry->event);
        op->generation = inquiry->number;
        inbox_post(bus->workers[i], op);
    }
}

void bus_disconnect(Bus *bus, unsigned origin, const Disconnect *order, BusOnCount on_count,
                    void *waiter) {
    Gather *gather = gather_new(bus, waiter);
    gather->on_count = on_count;
    for (unsigned i = 0; i < bus->worker_count; i++) {
        Op *op = gathered_op(OP_DISCONNECT, origin, gather);
        op->users = names_new(order->users->items, order->users->count);
        op->code = order->code;
        op->is_dry = order->is_dry;
        op_set_name(op, order->reason);
        inbox_post(bus->workers[i], op);
    }
}

/* Under one lock, whichever: two changes at once reach all workers in one order, so that their keys agree. */
void bus_change_secret(Bus *bus, unsigned origin, Str secret, int64_t until_ms, BusOnCount on_count,
                       void *waiter) {
    Gather *gather = gather_new(bus, waiter);
    gather->on_count = on_count;
    pthread_mutex_lock(&bus->shards[0]);
    for (unsigned i = 0; i < bus->worker_count; i++) {
        Op *op = gathered_op(OP_SECRET, origin, gather);
        op->value = bytes_copy(secret);
        op->expires_ms = until_ms;
        inbox_post(bus->workers[i], op);
    }
    pthread_mutex_unlock(&bus->shards[0]);
}

void bus_revoke(Bus *bus, unsigned origin, const Revocation *revocation, BusOnCount on_count,
                void *waiter) {
    Gather *gather = gather_new(bus, waiter);
    gather->on_count = on_count;
    for (unsigned i = 0; i < bus->worker_count; i++) {
        Op *op = gathered_op(OP_REVOKE, origin, gather);
        op_set_name(op, revocation->space);
        op->users = names_new(&revocation->key, 1);
        op->channels = names_new(&revocation->value, 1);
        inbox_post(bus->workers[i], op);
    }
}

void bus_park(Bus *bus, unsigned origin, const Parking *parking) {
    for (unsigned i = 0; i < bus->worker_count; i++) {
        if (i == origin) continue;
        Op *op = op_new(OP_PARK);
        op_set_name(op, parking->plugin);
        op->value = bytes_copy(parking->reason);
        op->generation = parking->generation;
        inbox_post(bus->workers[i], op);
    }
}

/* What a thread that works in turns has for the roster. */
static _Thread_local struct {
    bool is_on;
    Op *first; /* NULL: nothing */
    Op *last;
} questions;

void bus_start_turns(void) {
    questions.is_on = true;
}

void bus_end_turn(Bus *bus) {
    if (questions.first == NULL) return;
    inbox_post_list(bus->roster, questions.first, questions.last);
    questions.first = NULL;
}

void bus_stop_turns(Bus *bus) {
    bus_end_turn(bus);
    questions.is_on = false;
}

void bus_ask_roster(Bus *bus, Op *op) {
    ensure(op_is_for_roster(op->type));
    if (!questions.is_on) {
        inbox_post(bus->roster, op);
        return;
    }
    if (questions.first == NULL) {
        questions.first = op;
    } else {
        questions.last->next = op;
    }
    questions.last = op;
}

void bus_ask_reload(Bus *bus, Op *op) {
    ensure(op_is_for_reload(op->type));
    inbox_post(bus->reload, op);
}

void bus_post(Bus *bus, unsigned to, Op *op) {
    ensure(to < bus->worker_count);
    inbox_post(bus->workers[to], op);
}

/* Down to three quarters, so that it does not begin again at once. */
void bus_relieve(Bus *bus, uint64_t bytes_max) {
    uint64_t waiting = (uint64_t)metrics_sum(METRIC_queue_bytes);
    if (waiting <= bytes_max) return;
    uint64_t excess = waiting - bytes_max / 4 * 3;
    for (unsigned i = 0; i < bus->worker_count; i++) {
        Op *op = op_new(OP_RELIEVE);
        op->size = (uint32_t)((double)excess / (double)waiting * 1000) + 1;
        bus_post(bus, i, op);
    }
}

void bus_trim(Bus *bus) {
    for (unsigned i = 0; i < bus->worker_count; i++) bus_post(bus, i, op_new(OP_TRIM));
    bus_ask_roster(bus, op_new(OP_TRIM));
}

void bus_answer(Bus *bus, Op *op) {
    if (op->origin == OP_ORIGIN_RELOAD) {
        op->is_answer = true;
        inbox_post(bus->reload, op);
        return;
    }
    if (op->on_answer == NULL) {
        op_free(op);
        return;
    }
    op->is_answer = true;
    inbox_post(bus->workers[op->origin], op);
}
