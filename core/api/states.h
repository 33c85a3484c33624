/* SPDX-License-Identifier: Apache-2.0
 *
 * states: the Lua states of a worker, each with its Api. The current one gets whatever begins: requests,
 * frames, hooks. Those before it finish what they began, then they are freed. What outlives a state
 * (sessions, raw sockets) points here and not to an Api. Worker's thread only; before it starts and
 * after it ended, the main thread.
 */
#ifndef API_STATES_H
#define API_STATES_H

#include "api/api.h"
#include "api/drops.h"
#include "net/exchange.h"
#include "net/session.h"

typedef struct States {
    Api *current;
    Drops drops;
    List all;     /* of Apis, the oldest first; the current one is the last */
    List sockets; /* of RawSockets (api_socket.c) */
    SessionOwner session_owner;
    unsigned old_count; /* Apis but the current one */
} States;

void states_init(States *states);

/* Cancels what still waits, frees all Apis. What runs as Lua is taken apart can start nothing new. */
void states_cancel(States *states);
void states_deinit(States *states);

/* The first one. Takes it. */
void states_use(States *states, Api *api);

/* Speaks HTTP on a new connection, and gives its requests to the current one. NULL is fine. */
void states_serve(States *states, Conn *conn);

/* The api gets whatever begins from now on (takes it); the one before hands over, and what of it still runs
 * `deadline_ms` is cancelled. Not from within Lua. */
void states_swap(States *states, Api *api, uint64_t deadline_ms);

/* Frees the old ones that have finished. Not from within Lua. */
void states_sweep(States *states, uint64_t now_ms);

/* Collects what a peak has left in the current state; to be called before the worker waits. Gives when it is to be
 * called again; 0: that does not matter. */
uint64_t states_tidy(const States *states, uint64_t now_ms);

/* Whether an operation is under way whose answer some state waits for. */
bool states_is_asking(const States *states);

#endif
