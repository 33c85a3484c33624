/* SPDX-License-Identifier: Apache-2.0
 *
 * job: work that takes too long for a loop, on a few threads of its own behind a bounded queue. A Job has
 * one owner at a time: whoever made it, the pool from job_post on, and again its maker's side when `done`
 * is called, which happens once. It brings plain copied memory along: the pool's threads see nothing else
 * of an island, and `done` sends the answer there by its inbox. job_post: any thread.
 */
#ifndef DATA_JOB_H
#define DATA_JOB_H

#include <stdint.h>

#include "base/err.h"

typedef struct Job Job;
typedef struct JobPool JobPool;

/* First member of what the work needs and brings about. */
struct Job {
    Job *next;                       /* the pool's */
    void (*run)(Job *job);           /* on a thread of the pool; borrows */
    void (*done)(Job *job, int err); /* after it: 0, or never run: ERR_CANCELED, in job_stop; takes */
};

enum { JOB_THREADS_MAX = 16 };

/* `jobs_max` may run or wait at one time. ERR_UNAVAILABLE: no more threads. Gives. */
WARN_UNUSED int job_start(unsigned threads, uint32_t jobs_max, JobPool **pool);

/* Takes the job; but on ERR_LIMIT (too many) and ERR_CANCELED (stopped), when `done` is not called, it
 * stays the caller's. */
WARN_UNUSED int job_post(JobPool *pool, Job *job);

/* Cancels the jobs that wait and returns when those that run are done. Once, by the pool's owner; others
 * may go on calling job_post until job_free. */
void job_stop(JobPool *pool);

void job_free(JobPool *pool); /* takes; after job_stop. NULL is fine */

#endif
