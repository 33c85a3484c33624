/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.job: a pool of jobs, asked by islands on real threads.
 *     job.run{threads=, jobs_max=, islands=, jobs=, stop_after=}
 *
 * Each of the islands posts so many jobs, and while the pool is full waits for answers, which travel as Ops
 * through its inbox, and tries again. When so many jobs have run, or right away, the calling thread stops the
 * pool. Gives how many jobs {ran =, canceled =, late = (came behind the stop)}; or nil and what went wrong.
 */
#include "data/job.h"

#include <sched.h>
#include <semaphore.h>

#include "api/lua_args.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "hub/bus.h"
#include "test/test.h"

enum { ISLANDS_MAX = 8 };

typedef struct Crowd Crowd;

typedef struct Island {
    Crowd *crowd;
    unsigned index;
    pthread_t thread;
    Inbox inbox;
    sem_t mail;
    /* the thread's own, and the caller's when it has ended */
    unsigned pending; /* posted, not answered */
    unsigned ran;
    unsigned canceled;
    unsigned late;
    const char *fault;
} Island;

struct Crowd {
    Bus bus;
    JobPool *pool;
    unsigned jobs; /* of each island */
    sem_t runs;    /* posted by each job that runs */
    Island islands[ISLANDS_MAX];
};

/* A job that adds up the numbers to `last`. */
typedef struct Sum {
    Job job; /* first */
    Island *island;
    uint64_t last;
    uint64_t sum;
    int error;
} Sum;

static void run_sum(Job *job) {
    Sum *sum = (Sum *)(void *)job;
    for (uint64_t i = 1; i <= sum->last; i++) sum->sum += i;
    sem_post(&sum->island->crowd->runs);
}

static void on_answer(Op *op, void *waiter) {
    Sum *sum = waiter;
    Island *island = sum->island;
    island->pending--;
    if (op->origin != island->index) island->fault = "an answer came to another island";
    if (sum->error == 0) {
        island->ran++;
        if (sum->sum != sum->last * (sum->last + 1) / 2) island->fault = "an answer is wrong";
    } else {
        island->canceled++;
        if (sum->error != ERR_CANCELED || sum->sum != 0) island->fault = "a cancelled job has run";
    }
    mem_free(sum);
}

static void on_done(Job *job, int err) {
    Sum *sum = (Sum *)(void *)job;
    sum->error = err;
    Op *op = op_new(OP_CALL);
    op->origin = (uint16_t)sum->island->index;
    op->on_answer = on_answer;
    op->waiter = sum;
    bus_answer(&sum->island->crowd->bus, op);
}

static void wait_for_answers(Island *island) {
    sem_wait(&island->mail);
    Op *op = inbox_take(&island->inbox);
    while (op != NULL) {
        Op *next = op->next;
        op->on_answer(op, op->waiter);
        op_free(op);
        op = next;
    }
}

static void post_job(Island *island, unsigned number) {
    Sum *sum = mem_zalloc(sizeof *sum);
    sum->job = (Job){.run = run_sum, .done = on_done};
    sum->island = island;
    sum->last = island->index * 1000 + number;
    int err = job_post(island->crowd->pool, &sum->job);
    while (err == ERR_LIMIT) {
        if (island->pending > 0) {
            wait_for_answers(island);
        } else {
            sched_yield(); /* it is full of others' jobs */
        }
        err = job_post(island->crowd->pool, &sum->job);
    }
    if (err == 0) {
        island->pending++;
        return;
    }
    ensure(err == ERR_CANCELED);
    island->late++;
    mem_free(sum);
}

static void *run_island(void *context) {
    Island *island = context;
    for (unsigned i = 0; i < island->crowd->jobs; i++) post_job(island, i);
    while (island->pending > 0) wait_for_answers(island);
    return NULL;
}

static void wake(void *context) {
    sem_post(&((Island *)context)->mail);
}

static void init_island(Crowd *crowd, unsigned index) {
    Island *island = &crowd->islands[index];
    island->crowd = crowd;
    island->index = index;
    ensure(sem_init(&island->mail, 0, 0) == 0);
    inbox_init(&island->inbox, wake, island);
    crowd->bus.workers[index] = &island->inbox;
}

static unsigned check_field(lua_State *L, const char *name) {
    lua_getfield(L, 1, name);
    lua_Integer value = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return (unsigned)value;
}

static void run_threads(Crowd *crowd, unsigned stop_after) {
    unsigned count = crowd->bus.worker_count;
    for (unsigned i = 0; i < count; i++) {
        ensure(pthread_create(&crowd->islands[i].thread, NULL, run_island, &crowd->islands[i]) == 0);
    }
    for (unsigned i = 0; i < stop_after; i++) sem_wait(&crowd->runs);
    job_stop(crowd->pool);
    for (unsigned i = 0; i < count; i++) pthread_join(crowd->islands[i].thread, NULL);
}

static int push_counts(lua_State *L, const Crowd *crowd) {
    Island all = {.fault = NULL};
    for (unsigned i = 0; i < crowd->bus.worker_count; i++) {
        const Island *island = &crowd->islands[i];
        all.ran += island->ran;
        all.canceled += island->canceled;
        all.late += island->late;
        if (island->fault != NULL) all.fault = island->fault;
    }
    if (all.fault != NULL) {
        lua_pushnil(L);
        lua_pushstring(L, all.fault);
        return 2;
    }
    lua_newtable(L);
    set_field_integer(L, "ran", all.ran);
    set_field_integer(L, "canceled", all.canceled);
    set_field_integer(L, "late", all.late);
    return 1;
}

static int f_run(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    unsigned islands = check_field(L, "islands");
    unsigned threads = check_field(L, "threads");
    unsigned jobs_max = check_field(L, "jobs_max");
    unsigned jobs = check_field(L, "jobs");
    unsigned stop_after = check_field(L, "stop_after");
    luaL_argcheck(L, islands >= 1 && islands <= ISLANDS_MAX, 1, "1 to 8 islands");
    Crowd *crowd = mem_zalloc(sizeof *crowd);
    bus_init(&crowd->bus);
    crowd->bus.worker_count = islands;
    crowd->jobs = jobs;
    ensure(sem_init(&crowd->runs, 0, 0) == 0);
    for (unsigned i = 0; i < islands; i++) init_island(crowd, i);
    ensure(job_start(threads, jobs_max, &crowd->pool) == 0);
    run_threads(crowd, stop_after);
    job_free(crowd->pool);
    int results = push_counts(L, crowd);
    for (unsigned i = 0; i < islands; i++) {
        inbox_deinit(&crowd->islands[i].inbox);
        sem_destroy(&crowd->islands[i].mail);
    }
    bus_deinit(&crowd->bus);
    sem_destroy(&crowd->runs);
    mem_free(crowd);
    return results;
}

static const luaL_Reg functions[] = {{"run", f_run}, {NULL, NULL}};

int test_open_job(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
