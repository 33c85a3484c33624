/* SPDX-License-Identifier: Apache-2.0
 *
 * orders: carries out the Ops that are about the live sessions of one worker: an event for them, what they are
 * subscribed to, and which of them are to end: those of users, of tokens whose key was changed, of tokens that were
 * revoked. Worker's thread only.
 */
#ifndef HUB_ORDERS_H
#define HUB_ORDERS_H

#include "data/keyring.h"
#include "data/revocations.h"
#include "hub/bus.h"
#include "hub/registry.h"

/* What a worker has of each. Borrows all. */
typedef struct Orders {
    Bus *bus;
    Registry *registry;
    Keyring *keys;
    Revocations *revocations;
} Orders;

/* Takes the Op and answers it. False: it is about something else, and not taken. */
bool orders_run(const Orders *orders, Op *op);

#endif
