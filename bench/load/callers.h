/* SPDX-License-Identifier: Apache-2.0
 *
 * callers: an app server's keep-alive HTTP connections to the server under test. Each asks its job for
 * requests as long as it has room for one more under way, and tells it of the answers, which come in the
 * order of the requests. One thread.
 */
#ifndef BENCH_CALLERS_H
#define BENCH_CALLERS_H

#include <netinet/in.h>

#include "base/buf.h"
#include "loop.h"

typedef struct CallersAnswer {
    size_t caller;
    int status;
    Str body;
    uint64_t took_ns; /* since the request was handed to the kernel */
} CallersAnswer;

typedef struct CallersJob {
    bool (*next)(void *context, size_t caller, Buf *request); /* false: none now */
    void (*answered)(void *context, const CallersAnswer *answer);
    void *context;
} CallersJob;

typedef struct Callers Callers;

/* `depth`: requests under way on one connection. Gives. Trouble is told to the loop. */
Callers *callers_open(Loop *loop, const struct sockaddr_in *server, size_t count, size_t depth);
void callers_close(Callers *callers); /* takes; NULL is fine */

/* From now on requests come from this job, which is copied; none of the one before may be under way. */
void callers_start(Callers *callers, const CallersJob *job);

/* Asks the job again, after its `next` had none for a while: all callers, or one. */
void callers_kick(Callers *callers);
void callers_kick_one(Callers *callers, size_t caller);

size_t callers_under_way(const Callers *callers);
uint64_t callers_answered(const Callers *callers); /* of all jobs */

/* Runs the job until it has no more requests and all are answered. ERR_IO, ERR_TIMEOUT. */
WARN_UNUSED int callers_run(Callers *callers, const CallersJob *job);

/* Appends a POST with a body of JSON. `headers`: further lines, each with its line end. */
typedef struct CallersPost {
    Str path, host, headers, body;
} CallersPost;
void callers_add_post(Buf *out, const CallersPost *post);

#endif
