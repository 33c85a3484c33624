/* SPDX-License-Identifier: Apache-2.0
 *
 * press: publishes events through the callers, flat out or at a rate, for a while, and waits until all
 * is answered and all sessions have got all. At a rate, an event counts as sent when it was due, so that
 * a server that holds publishers up does not hide it. One thread.
 */
#ifndef BENCH_PRESS_H
#define BENCH_PRESS_H

#include "callers.h"
#include "check.h"
#include "histogram.h"
#include "plan.h"

typedef struct Press Press;

typedef struct PressParts {
    const Plan *plan;
    Loop *loop;
    Callers *callers; /* one a publisher */
    Check *check;
} PressParts;

/* Borrows the parts until press_free. Gives. */
Press *press_new(const PressParts *parts);
void press_free(Press *press); /* takes; NULL is fine */

/* ERR_IO with the loop's trouble (a refusal is one); ERR_TIMEOUT: not all came. `answers` notes how long
 * publishers waited; may be NULL. */
WARN_UNUSED int press_run(Press *press, double seconds, Histogram *answers);

/* Sends so many events, as fast as they are answered, and waits for the answers alone. ERR_IO, ERR_TIMEOUT. */
WARN_UNUSED int press_send(Press *press, uint64_t count);

/* Waits until all sessions have got all. ERR_IO, ERR_TIMEOUT. */
WARN_UNUSED int press_wait(Press *press);

uint64_t press_events(const Press *press); /* sent so far, in all runs */

#endif
