/* SPDX-License-Identifier: Apache-2.0
 *
 * records: the roster's ops on the store's records: PUT and ERASE within the transaction of a round, GET
 * and EACH behind its commit. Roster's thread only.
 */
#ifndef HUB_RECORDS_H
#define HUB_RECORDS_H

#include "data/store.h"
#include "hub/bus.h"

/* Carries out a PUT or ERASE and fills op->is_done; the result is the store's failure. */
WARN_UNUSED int records_apply(Store *store, Op *op);

/* Answers a GET or EACH into the op, its failure into op->error. */
void records_read(Store *store, Op *op);

/* If another process, as the command line, has changed the store: tells all workers what is revoked. */
void records_tell_changes(Store *store, Bus *bus);

#endif
