/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.race: the bus and the roster with workers on real threads.
 *     race.run(workers, rounds)  -> how many events were compared; or nil and what went wrong
 *
 * Worker w has a user of its own, "user-w", who has a session on every worker. In each round it has him
 * subscribed to "own-w", or unsubscribed, and when that is answered notifies "own-w": every worker on
 * which he is live must have heard of the change before (promise 2). It also notifies channels that
 * all workers share: their events must lie in one order in all inboxes (promise 3), and changes the secret,
 * which all workers must hear of in one order too. The calling thread notifies and subscribes all the while.
 */
#include <semaphore.h>

#include "base/buf.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "hub/roster.h"
#include "test/test.h"

enum {
    RACE_WORKERS_MAX = 8,
    SHARED = 2,
    SECRETS = SHARED, /* its place in `heard` */
    HEARD,
    DISTURBANCES = 10 /* per round */
};

/* What the attributes of a notify hold, as they lie in memory. */
typedef struct Mark {
    uint32_t own_of;     /* worker whose own channel it is; RACE_WORKERS_MAX: shared channels */
    uint32_t subscribed; /* own channel: whether the user is */
    uint32_t id;
} Mark;

typedef struct Race Race;

typedef struct RaceWorker {
    Race *race;
    unsigned index;
    pthread_t thread;
    Inbox inbox;
    pthread_mutex_t lock; /* guards has_mail */
    pthread_cond_t mail;
    bool has_mail;
    /* the thread's own, and the caller's when it has ended */
    bool is_over;
    unsigned round;
    bool has_joined[RACE_WORKERS_MAX]; /* by user */
    bool is_subscribed[RACE_WORKERS_MAX];
    Buf heard[HEARD]; /* ids of events, by shared channel, and of secrets */
    const char *fault;
} RaceWorker;

struct Race {
    Bus bus;
    Roster *roster;
    RaceWorker workers[RACE_WORKERS_MAX];
    unsigned rounds;
    sem_t done; /* posted by each worker after its last round */
};

/* Names of users and channels by their number. */
static Str name_of(char out[16], const char *kind, unsigned number) {
    int len = snprintf(out, 16, "%s-%u", kind, number);
    return str_make(out, (size_t)len);
}

static Names *one_name(const char *kind, unsigned number) {
    char text[16];
    Str name = name_of(text, kind, number);
    return names_new(&name, 1);
}

static Bytes *encode(const MessageParts *parts, MessageParts *placed) {
    Bytes *frame = bytes_copy(parts->attributes);
    *placed = (MessageParts){.attributes = bytes_str(frame)};
    return frame;
}

static const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT] = {[MESSAGE_WS] = encode};

static void notify(Bus *bus, const Str *names, uint32_t count, Mark mark) {
    NoticeSpec spec = {
        .kind = NOTICE_CHANNELS, .targets = names, .target_count = count, .message_count = 1};
    Notice *notice = notice_new(&spec);
    MessageSpec message = {.event = STR("event"),
                           .attributes = str_make((const char *)&mark, sizeof mark)};
    message_init(&notice->messages[0], encoders, &message);
    bus_notify(bus, notice, NULL);
}

/* One or both shared channels, in either order. */
static void notify_shared(Race *race, unsigned round, uint32_t id) {
    char texts[SHARED][16];
    Str names[SHARED];
    for (unsigned i = 0; i < SHARED; i++) names[i] = name_of(texts[i], "all", (i + round) % SHARED);
    notify(&race->bus, names, 1 + round / SHARED % SHARED, (Mark){RACE_WORKERS_MAX, 0, id});
}

static void ask_for_change(RaceWorker *worker);

static void on_secret(void *waiter, uint64_t sessions) {
    (void)sessions;
    RaceWorker *worker = waiter;
    worker->round++;
    ask_for_change(worker);
}

static void change_secret(RaceWorker *worker) {
    uint32_t id = worker->index << 24 | worker->round;
    Str secret = str_make((const char *)&id, sizeof id);
    bus_change_secret(&worker->race->bus, worker->index, secret, 0, on_secret, worker);
}

static void on_changed(Op *op, void *waiter) {
    RaceWorker *worker = waiter;
    if (op->error != 0 || op->changed_count != 1) worker->fault = "a change was not made";
    char text[16];
    Str own = name_of(text, "own", worker->index);
    notify(&worker->race->bus, &own, 1, (Mark){worker->index, op->type == OP_SUBSCRIBE, 0});
    notify_shared(worker->race, worker->round, worker->index << 24 | worker->round);
    change_secret(worker);
}

static void ask_for_change(RaceWorker *worker) {
    if (worker->round == worker->race->rounds) {
        sem_post(&worker->race->done);
        return;
    }
    Op *op = op_new(worker->round % 2 == 0 ? OP_SUBSCRIBE : OP_UNSUBSCRIBE);
    op->users = one_name("user", worker->index);
    op->channels = one_name("own", worker->index);
    op->origin = (uint16_t)worker->index;
    op->on_answer = on_changed;
    op->waiter = worker;
    bus_ask_roster(&worker->race->bus, op);
}

/* The number at the end of a name. */
static unsigned number_of(const char *name, size_t len) {
    return (unsigned)(name[len - 1] - '0');
}

static void on_joined(Op *op, void *waiter) {
    RaceWorker *worker = waiter;
    unsigned user = number_of(op->name, op->name_len);
    worker->has_joined[user] = true;
    worker->is_subscribed[user] = op->channels->count > 0;
    if (user == worker->index) ask_for_change(worker);
}

static void join_all(RaceWorker *worker) {
    for (unsigned i = 0; i < worker->race->bus.worker_count; i++) {
        char text[16];
        Op *op = op_new(OP_JOIN);
        op_set_name(op, name_of(text, "user", i));
        op->origin = (uint16_t)worker->index;
        op->on_answer = on_joined;
        op->waiter = worker;
        bus_ask_roster(&worker->race->bus, op);
    }
}

static void leave_all(RaceWorker *worker) {
    for (unsigned i = 0; i < worker->race->bus.worker_count; i++) {
        char text[16];
        Op *op = op_new(OP_LEAVE);
        op_set_name(op, name_of(text, "user", i));
        op->origin = (uint16_t)worker->index;
        bus_ask_roster(&worker->race->bus, op);
    }
}

static void hear_notice(RaceWorker *worker, const Notice *notice) {
    Mark mark;
    memcpy(&mark, message_frame(&notice->messages[0], MESSAGE_WS)->data, sizeof mark);
    if (mark.own_of < RACE_WORKERS_MAX) {
        bool is_right = worker->is_subscribed[mark.own_of] == mark.subscribed;
        if (worker->has_joined[mark.own_of] && !is_right)
            worker->fault = "a notify came before a change";
        return;
    }
    for (uint32_t i = 0; i < notice->target_count; i++) {
        Str name = notice->targets[i].name;
        buf_add(&worker->heard[number_of(name.data, name.len)],
                str_make((const char *)&mark.id, sizeof mark.id));
    }
}

static void run_op(RaceWorker *worker, Op *op) {
    if (op->is_answer) {
        op->on_answer(op, op->waiter);
    } else if (op->type == OP_NOTIFY) {
        hear_notice(worker, op->notice);
    } else if (op->type == OP_SECRET) {
        buf_add(&worker->heard[SECRETS], bytes_str(op->value));
        bus_answer(&worker->race->bus, op);
        return;
    } else if (op->type == OP_CHANGE) {
        Str user = op->users->items[0];
        worker->is_subscribed[number_of(user.data, user.len)] = op->is_add;
    } else if (op->type == OP_END) {
        worker->is_over = true;
    } else {
        ensure(op->type == OP_PRESENCE);
    }
    op_free(op);
}

static void *run_worker(void *context) {
    RaceWorker *worker = context;
    join_all(worker);
    while (!worker->is_over) {
        pthread_mutex_lock(&worker->lock);
        while (!worker->has_mail) pthread_cond_wait(&worker->mail, &worker->lock);
        worker->has_mail = false;
        pthread_mutex_unlock(&worker->lock);
        Op *op = inbox_take(&worker->inbox);
        while (op != NULL) {
            Op *next = op->next;
            run_op(worker, op);
            op = next;
        }
    }
    leave_all(worker);
    return NULL;
}

static void wake(void *context) {
    RaceWorker *worker = context;
    pthread_mutex_lock(&worker->lock);
    worker->has_mail = true;
    pthread_mutex_unlock(&worker->lock);
    pthread_cond_signal(&worker->mail);
}

static void init_worker(Race *race, unsigned index) {
    RaceWorker *worker = &race->workers[index];
    worker->race = race;
    worker->index = index;
    ensure(pthread_mutex_init(&worker->lock, NULL) == 0 && pthread_cond_init(&worker->mail, NULL) == 0);
    inbox_init(&worker->inbox, wake, worker);
    race->bus.workers[index] = &worker->inbox;
}

static void deinit_worker(RaceWorker *worker) {
    for (int i = 0; i < HEARD; i++) buf_deinit(&worker->heard[i]);
    inbox_deinit(&worker->inbox);
    pthread_mutex_destroy(&worker->lock);
    pthread_cond_destroy(&worker->mail);
}

/* What the calling thread does while the others run. */
static void disturb(Race *race) {
    for (unsigned round = 0; round < race->rounds * DISTURBANCES; round++) {
        if (round < race->rounds) notify_shared(race, round, 0xFF000000 | round);
        Op *op = op_new(round % 2 == 0 ? OP_SUBSCRIBE : OP_UNSUBSCRIBE);
        op->users = one_name("crowd", round / 2 % 10);
        op->channels = one_name("all", round % SHARED);
        bus_ask_roster(&race->bus, op);
    }
}

static void run_threads(Race *race) {
    unsigned count = race->bus.worker_count;
    for (unsigned i = 0; i < count; i++) {
        ensure(pthread_create(&race->workers[i].thread, NULL, run_worker, &race->workers[i]) == 0);
    }
    disturb(race);
    for (unsigned i = 0; i < count; i++) sem_wait(&race->done);
    for (unsigned i = 0; i < count; i++) bus_post(&race->bus, i, op_new(OP_END));
    for (unsigned i = 0; i < count; i++) pthread_join(race->workers[i].thread, NULL);
}

/* What all workers have heard, or the fault of one. */
static const char *compare(const Race *race, size_t *events) {
    for (unsigned i = 0; i < race->bus.worker_count; i++) {
        const RaceWorker *worker = &race->workers[i];
        if (worker->fault != NULL) return worker->fault;
        for (int k = 0; k < HEARD; k++) {
            Str heard = buf_str(&worker->heard[k]);
            if (!str_equal(heard, buf_str(&race->workers[0].heard[k]))) return "the order is not one";
            *events += heard.len / sizeof(uint32_t);
        }
    }
    return NULL;
}

static int f_run(lua_State *L) {
    lua_Integer workers = luaL_checkinteger(L, 1);
    lua_Integer rounds = luaL_checkinteger(L, 2);
    luaL_argcheck(L, workers >= 1 && workers <= RACE_WORKERS_MAX, 1, "1 to 8");
    Race *race = mem_zalloc(sizeof *race);
    bus_init(&race->bus);
    race->bus.worker_count = (unsigned)workers;
    race->rounds = (unsigned)rounds;
    ensure(sem_init(&race->done, 0, 0) == 0);
    for (unsigned i = 0; i < race->bus.worker_count; i++) init_worker(race, i);
    RosterLimits limits = {.subscriptions_per_user_max = 10,
                           .subscriptions_max = 100000,
                           .sessions_per_user_max = 100,
                           .sessions_max = 1000};
    ensure(roster_start(&race->bus, store_memory_new(), &limits, NULL, &race->roster) == 0);
    run_threads(race);
    roster_stop(race->roster);
    size_t events = 0;
    const char *fault = compare(race, &events);
    for (unsigned i = 0; i < race->bus.worker_count; i++) deinit_worker(&race->workers[i]);
    bus_deinit(&race->bus);
    sem_destroy(&race->done);
    mem_free(race);
    if (fault == NULL) {
        lua_pushinteger(L, (lua_Integer)events);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, fault);
    return 2;
}

static const luaL_Reg functions[] = {{"run", f_run}, {NULL, NULL}};

int test_open_race(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
