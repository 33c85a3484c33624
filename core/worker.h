/* SPDX-License-Identifier: Apache-2.0
 *
 * worker: one island: a thread with its loop, listener, Lua state, registry and inbox. The only place
 * that ties the rooms together. Made and ended by the server; after worker_start nothing of it is
 * touched from outside but by its inbox.
 */
#ifndef WORKER_H
#define WORKER_H

#include "config.h"
#include "data/job.h"
#include "data/revocations.h"
#include "hub/bus.h"

typedef struct Worker Worker;

/* What all workers of a process share; borrowed, but for keys and revocations, which each copies. */
typedef struct WorkerShared {
    const Config *config;
    Bus *bus;
    JobPool *jobs;
    Shared *shared;
    const Keyring *keys;
    const Revocations *revocations;
} WorkerShared;

/* Makes the island, its Lua state and all plugins; the bus gets its inbox as number `index`. Takes the
 * listening descriptor. ERR_INVALID: the Lua half did not load; it is logged. Main thread. */
WARN_UNUSED int worker_new(const WorkerShared *shared, unsigned index, int listen_fd, Worker **worker);

/* Listens and starts the thread: when it returns, a client can connect. Main thread. */
WARN_UNUSED int worker_start(Worker *worker);

/* Asks it to become quiet: no new connections, sessions are told 1012, running requests are answered, then
 * the rest is cut. `quiet` is posted once when nothing is under way any more; the worker still carries
 * out what others ask of it until worker_join, so no answer is lost between two that stop. Main thread. */
void worker_stop(Worker *worker, uv_sem_t *quiet);

/* Ends the loop and waits for the thread's end. Main thread. */
void worker_join(Worker *worker);

/* Frees what was never started or has been joined; after the last op was answered. */
void worker_free(Worker *worker);

#endif
