/* SPDX-License-Identifier: Apache-2.0
 *
 * A call is a job: it takes copies of its arguments along, and when it is done its thread posts the answer
 * to the inbox of the worker that asked. Without a pool, in command line tools, the work is done at once.
 */
#include "api/ask.h"
#include "api/lua_args.h"
#include "base/mem.h"
#include "data/job.h"
#include "data/password.h"
#include "data/secret.h"

typedef struct Work {
    Job job; /* first: a Job is where the Work begins */
    Bus *bus;
    Ask *ask; /* the worker's: the job's thread does not look at it */
    uint16_t origin;
    bool is_verify;
    bool matches; /* answered by verify */
    int error;    /* answered */
    size_t text_len;
    size_t hash_len;
    char text[PASSWORD_MAX];
    char hash[PASSWORD_HASH_SIZE]; /* asked by verify, or answered */
} Work;

static Work *of_job(Job *job) {
    return (Work *)(void *)job;
}

static void free_work(Work *work) {
    secret_wipe(work, sizeof *work);
    mem_free(work);
}

static void run(Job *job) {
    Work *work = of_job(job);
    Str text = str_make(work->text, work->text_len);
    work->error = work->is_verify
                      ? password_verify(text, str_make(work->hash, work->hash_len), &work->matches)
                      : password_hash(text, work->hash);
}

static int push_answer(lua_State *L, void *data) {
    const Work *work = data;
    if (work->error != 0) return push_failure(L, work->error, NULL);
    if (work->is_verify) {
        lua_pushboolean(L, work->matches);
    } else {
        lua_pushstring(L, work->hash);
    }
    return 1;
}

static void on_answer(Op *op, void *waiter) {
    (void)op;
    Work *work = waiter;
    ask_finish(work->ask, work);
    free_work(work);
}

static void on_done(Job *job, int err) {
    Work *work = of_job(job);
    if (err != 0) work->error = err;
    Op *op = op_new(OP_CALL);
    op->origin = work->origin;
    op->on_answer = on_answer;
    op->waiter = work;
    bus_answer(work->bus, op);
}

/* Takes the work. */
static int run_now(lua_State *L, Work *work) {
    run(&work->job);
    int count = push_answer(L, work);
    free_work(work);
    return count;
}

/* The Ask is made when the pool has the job: before, a full queue would have to undo it. Its answer is taken
 * from the inbox by this thread, so it cannot come too early. */
static int start(lua_State *L, Work *work) {
    const Api *api = api_of(L);
    if (api->jobs == NULL) return run_now(L, work);
    work->job = (Job){.run = run, .done = on_done};
    work->bus = api->bus;
    work->origin = (uint16_t)api->worker;
    int err = job_post(api->jobs, &work->job);
    if (err != 0) {
        free_work(work);
        return push_failure(L, err, NULL);
    }
    work->ask = ask_new(L, push_answer);
    return task_yield(L);
}

/* Raises what can be raised before there is a copy of the password. */
static void check_can_run(lua_State *L) {
    if (api_of(L)->jobs != NULL) task_check(L);
}

static Work *work_new(Str text) {
    Work *work = mem_zalloc(sizeof *work);
    work->text_len = text.len;
    if (text.len > 0) memcpy(work->text, text.data, text.len);
    return work;
}

static int push_too_long(lua_State *L) {
    return push_failure(L, ERR_INVALID, "a password has at most 1024 bytes");
}

static int f_hash(lua_State *L) {
    Str text = check_str(L, 1);
    check_can_run(L);
    if (text.len > PASSWORD_MAX) return push_too_long(L);
    return start(L, work_new(text));
}

static int f_verify(lua_State *L) {
    Str text = check_str(L, 1);
    Str hash = check_str(L, 2);
    check_can_run(L);
    if (text.len > PASSWORD_MAX) return push_too_long(L);
    if (hash.len >= PASSWORD_HASH_SIZE) return push_failure(L, ERR_INVALID, NULL);
    Work *work = work_new(text);
    work->is_verify = true;
    work->hash_len = hash.len;
    memcpy(work->hash, hash.data, hash.len);
    return start(L, work);
}

static int f_is_outdated(lua_State *L) {
    lua_pushboolean(L, password_is_outdated(check_str(L, 1)));
    return 1;
}

static const luaL_Reg lib[] = {
    {"hash", f_hash}, {"verify", f_verify}, {"is_outdated", f_is_outdated}, {NULL, NULL}};

int api_open_password(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
