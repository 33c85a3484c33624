/* SPDX-License-Identifier: Apache-2.0
 *
 * worker: one island: a thread with its loop, listener, Lua state, registry and inbox. The only place
 * that ties the rooms together. Made and ended by the server; after worker_start nothing of it is
 * touched from outside but by its inbox.
 */
#ifndef WORKER_H
#define WORKER_H

#include "commons.h"

typedef struct Worker Worker;

/* Makes the island, its Lua state and all plugins; the bus gets its inbox as number `index`. Takes the
 * listening descriptor; -1: none. ERR_INVALID: the Lua half did not load; it is logged. Main thread. */
WARN_UNUSED int worker_new(Commons *commons, unsigned index, int listen_fd, Worker **worker);

/* Makes a new Lua state with all plugins, for an OP_SWAP; the worker that runs is not touched. Gives. On failure one
 * line for people is added to `fault`. Any thread. */
WARN_UNUSED int worker_prepare(const Worker *worker, uint64_t generation, Buf *fault, Api **api);

/* Listens and starts the thread: when it returns, a client can connect. Main thread. */
WARN_UNUSED int worker_start(Worker *worker);

/* Asks it to become quiet: no new connections, sessions are told 1012, running requests are answered, then
 * the rest is cut. `quiet` is posted once when nothing is under way any more; the worker still carries
 * out what others ask of it until worker_join, so no answer is lost between two that stop. Main thread. */
void worker_stop(Worker *worker, uv_sem_t *quiet);

/* Ends the loop and waits for the thread's end. Main thread. */
void worker_join(Worker *worker);

/* The same without a thread and a listener, where the clock is held: the caller is the island, and turns it.
 * It gets the ends of socketpairs for connections (takes them). A turn is QUIET when there was nothing
 * to do, FLOODED when what it did made more to do, again and again; what the last turn brought about may
 * become known by the next one only. */
typedef enum { WORKER_QUIET, WORKER_BUSY, WORKER_FLOODED } WorkerTurn;
void worker_open(Worker *worker);
void worker_connect(Worker *worker, int fd);
WorkerTurn worker_turn(Worker *worker);
Net *worker_net(Worker *worker);
Api *worker_api(const Worker *worker); /* that gets what begins now */

/* Frees what was never started or has been joined; after the last op was answered. */
void worker_free(Worker *worker);

#endif
