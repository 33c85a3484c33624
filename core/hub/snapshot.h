/* SPDX-License-Identifier: Apache-2.0
 *
 * snapshot: what a History keeps of its durable channels, written to the store when the server stops and
 * read when it starts again. It is good once: a start takes it out of the store before the first new event,
 * so that after a crash there is none, and no id of before is taken. Main thread, while no worker runs.
 */
#ifndef HUB_SNAPSHOT_H
#define HUB_SNAPSHOT_H

#include "data/store.h"
#include "hub/history.h"

/* Lets go of the channels that are not durable, and writes the rest, in one transaction. */
WARN_UNUSED int snapshot_save(History *history, Store *store);

/* Fills a new History; without a snapshot it stays new. `encoders` outlives it. ERR_INVALID: the snapshot
 * is not whole, and the History of no use. */
WARN_UNUSED int snapshot_load(Store *store, const MessageEncoder *encoders, History *history);

/* Takes it out of the store, in a transaction. */
WARN_UNUSED int snapshot_drop(Store *store);

#endif
