/* SPDX-License-Identifier: Apache-2.0
 *
 * states: the Lua states of a worker, each with its Api. The current one gets whatever begins: requests,
 * frames, hooks. What outlives a state (sessions, raw sockets) points here and not to an Api. Worker's
 * thread only; before it starts and after it ended, the main thread.
 */
#ifndef API_STATES_H
#define API_STATES_H

#include "api/api.h"

typedef struct States {
    Api *current;
    List all; /* of Apis, the oldest first */
} States;

void states_init(States *states);

/* Cancels what still waits, frees all Apis. What runs as Lua is taken apart can start nothing new. */
void states_cancel(States *states);
void states_deinit(States *states);

/* The api gets whatever begins from now on. Takes it. */
void states_use(States *states, Api *api);

/* Whether an operation is under way whose answer some state waits for. */
bool states_is_asking(const States *states);

#endif
