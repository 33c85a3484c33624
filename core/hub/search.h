/* SPDX-License-Identifier: Apache-2.0
 *
 * search: what the roster answers when it is asked about subscriptions and about who is online. Only
 * reads. Roster's thread only.
 */
#ifndef HUB_SEARCH_H
#define HUB_SEARCH_H

#include "data/store.h"
#include "hub/online.h"
#include "hub/op.h"

/* All channels of the user, sorted. Gives. */
Names *search_channels(const Node *user);

/* Answers an ORIGINS into the op: a page of channels, and for each "MILLISECONDS BY" as the store knows it. */
void search_origins(const Graph *graph, Store *store, Op *op);

/* Answers a SUBSCRIPTIONS, PARTICIPANTS, USERS or COUNT into the op. */
void search_run(const Graph *graph, const Online *online, Op *op);

#endif
