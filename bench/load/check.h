/* SPDX-License-Identifier: Apache-2.0
 *
 * check: whether every session got every event of its channel exactly once, in the order in which each
 * publisher sent them, and all sessions of a channel in one order. Publishers number their events per
 * channel. Session i is in channel i mod channels. Slow readers are not among the sessions. One thread.
 */
#ifndef BENCH_CHECK_H
#define BENCH_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "stamp.h"

typedef struct Check {
    size_t sessions, channels, publishers;
    uint32_t *sent;    /* [channel][publisher]: events so far */
    uint32_t *next;    /* [session][publisher]: the number that must come next */
    uint64_t *orders;  /* [session]: a digest of all that came, in order */
    uint64_t expected; /* what all sessions together must get of all that was sent */
    uint64_t received;
    uint64_t lost;     /* numbers that were skipped, and those that never came */
    uint64_t repeated; /* numbers that came again, or too late */
    uint64_t strange;  /* of no publisher of ours */
} Check;

void check_init(Check *check, size_t sessions, size_t channels, size_t publishers);
void check_deinit(Check *check);

/* The number of the next event that this publisher sends to this channel. */
uint32_t check_number(Check *check, size_t channel, size_t publisher);

void check_see(Check *check, size_t session, const Stamp *stamp);

/* Counts what never came as lost; call it once, at the end. How many sessions saw another order than the
 * first of their channel did. */
size_t check_close(Check *check);

#endif
