/* SPDX-License-Identifier: Apache-2.0 */
#include "data/job.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "base/ensure.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { NICENESS = 10 };

struct JobPool {
    pthread_mutex_t lock; /* guards what follows up to is_stopped */
    pthread_cond_t news;  /* a job came, or is_stopped */
    Job *first;           /* those that wait */
    Job **last;
    uint32_t count; /* wait or run */
    bool is_stopped;
    uint32_t count_max;
    unsigned thread_count;
    pthread_t threads[JOB_THREADS_MAX];
};

static void remove_count(JobPool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->count--;
    pthread_mutex_unlock(&pool->lock);
    metrics_add(METRIC_jobs, -1);
}

/* Waits for one; NULL: stopped. */
static Job *take(JobPool *pool) {
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->is_stopped) pthread_cond_wait(&pool->news, &pool->lock);
    Job *job = pool->first;
    if (job != NULL) pool->first = job->next;
    if (pool->first == NULL) pool->last = &pool->first;
    pthread_mutex_unlock(&pool->lock);
    return job;
}

/* On Linux the niceness is a thread's own: with few cores the loops go first. */
static void *run_thread(void *context) {
    JobPool *pool = context;
    log_name_thread("job");
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    for (Job *job = take(pool); job != NULL; job = take(pool)) {
        job->run(job);
        remove_count(pool); /* before the answer: who got it finds the room that it made */
        job->done(job, 0);
    }
    return NULL;
}

int job_start(unsigned threads, uint32_t jobs_max, JobPool **out) {
    ensure(threads <= JOB_THREADS_MAX);
    JobPool *pool = mem_zalloc(sizeof *pool);
    ensure(pthread_mutex_init(&pool->lock, NULL) == 0 && pthread_cond_init(&pool->news, NULL) == 0);
    pool->last = &pool->first;
    pool->count_max = jobs_max;
    while (pool->thread_count < threads) {
        if (pthread_create(&pool->threads[pool->thread_count], NULL, run_thread, pool) != 0) {
            job_stop(pool);
            job_free(pool);
            return ERR_UNAVAILABLE;
        }
        pool->thread_count++;
    }
    *out = pool;
    return 0;
}

/* With the lock. */
static int add(JobPool *pool, Job *job) {
    if (pool->is_stopped) return ERR_CANCELED;
    if (pool->count >= pool->count_max) return ERR_LIMIT;
    pool->count++;
    job->next = NULL;
    *pool->last = job;
    pool->last = &job->next;
    return 0;
}

int job_post(JobPool *pool, Job *job) {
    pthread_mutex_lock(&pool->lock);
    int err = add(pool, job);
    pthread_mutex_unlock(&pool->lock);
    if (err == 0) {
        metrics_add(METRIC_jobs, 1);
        pthread_cond_signal(&pool->news);
    } else if (err == ERR_LIMIT) {
        metrics_add(METRIC_limit_hits_total, 1);
    }
    return err;
}

void job_stop(JobPool *pool) {
    pthread_mutex_lock(&pool->lock);
    Job *job = pool->first;
    pool->first = NULL;
    pool->last = &pool->first;
    pool->is_stopped = true;
    pthread_mutex_unlock(&pool->lock);
    pthread_cond_broadcast(&pool->news);
    while (job != NULL) {
        Job *next = job->next;
        remove_count(pool);
        job->done(job, ERR_CANCELED);
        job = next;
    }
    for (unsigned i = 0; i < pool->thread_count; i++) pthread_join(pool->threads[i], NULL);
}

void job_free(JobPool *pool) {
    if (pool == NULL) return;
    ensure(pool->is_stopped && pool->count == 0);
    pthread_cond_destroy(&pool->news);
    pthread_mutex_destroy(&pool->lock);
    mem_free(pool);
}
