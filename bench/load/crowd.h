/* SPDX-License-Identifier: Apache-2.0
 *
 * crowd: the sessions, over WebSockets or as Server-Sent Events: connects them, some at a time, greets as
 * the plan says, hears what they get and shows it to the check, and closes them again. Session
 * i is of user bench-i; those that the check does not know are slow readers. One thread.
 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <netinet/in.h>

#include "check.h"
#include "histogram.h"
#include "loop.h"
#include "plan.h"

typedef struct Crowd Crowd;

typedef struct CrowdParts {
    Loop *loop;
    const Plan *plan;
    const struct sockaddr_in *server;
    Check *check;
} CrowdParts;

/* Borrows the parts until crowd_free. ERR_INVALID: the secret makes no tokens. Gives. */
WARN_UNUSED int crowd_new(const CrowdParts *parts, Crowd **crowd);
void crowd_free(Crowd *crowd); /* takes; cuts what is still connected; NULL is fine */

/* The first `count` of them, those that are there already too. ERR_IO with the loop's trouble, ERR_TIMEOUT. */
WARN_UNUSED int crowd_connect(Crowd *crowd, size_t count);
void crowd_cut(Crowd *crowd); /* all connections, without a word; crowd_connect then brings them back */
WARN_UNUSED int crowd_leave(Crowd *crowd); /* closing handshakes; ERR_TIMEOUT: some were not answered */

size_t
crowd_slow_cut(const Crowd *crowd); /* slow readers that the server had closed before they left */
size_t crowd_connected(const Crowd *crowd);

/* From now on latencies are noted here; NULL: no longer. Borrows. */
void crowd_note(Crowd *crowd, Histogram *latencies);

#endif
