/* SPDX-License-Identifier: Apache-2.0
 *
 * enroll: subscribes users by REST, before they connect: those of the sessions, many a call, and those
 * that only fill the server, one a call; and unsubscribes those of the sessions.
 */
#ifndef BENCH_ENROLL_H
#define BENCH_ENROLL_H

#include "callers.h"
#include "plan.h"

/* How many subscriptions each makes. */
uint64_t enroll_pairs(const Plan *plan);
uint64_t enroll_fill_pairs(const Plan *plan);

/* ERR_IO with the loop's trouble (a refusal is one), ERR_TIMEOUT. Of the sessions those from number `begin` to `end`,
 * about: what one call is for stays together. */
WARN_UNUSED int enroll_sessions(const Plan *plan, Loop *loop, Callers *callers, size_t begin,
                                size_t end);
WARN_UNUSED int enroll_remove(const Plan *plan, Loop *loop, Callers *callers); /* of the sessions */
WARN_UNUSED int enroll_fill(const Plan *plan, Loop *loop, Callers *callers);

#endif
