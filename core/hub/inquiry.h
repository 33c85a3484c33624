/* SPDX-License-Identifier: Apache-2.0
 *
 * inquiry: what a worker knows of an event, or of a user's sessions and an event, as JSON: the answer to
 * an INQUIRY op. The workers' answers are put together in Lua. Worker's thread only.
 */
#ifndef HUB_INQUIRY_H
#define HUB_INQUIRY_H

#include "hub/history.h"
#include "hub/op.h"
#include "hub/registry.h"

/* Fills the op's value. Without a user (`name`): the newest event that was emitted here and has `after` as
 * its id, idempotency key or name, or null. With one: the user's sessions here, live ones and those that
 * ended, and what each got of the event with number `generation`, 0: of none, and when it confirmed the one with the
 * ack `after`. */
void inquiry_run(const Registry *registry, const History *history, Op *op);

#endif
