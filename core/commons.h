/* SPDX-License-Identifier: Apache-2.0
 *
 * commons: what all workers of a node share, and the store until the roster has it. Made before the first
 * worker, taken apart after the last one and the roster are gone. Main thread.
 */
#ifndef COMMONS_H
#define COMMONS_H

#include "base/meters.h"
#include "config.h"
#include "data/job.h"
#include "data/revocations.h"
#include "hub/bus.h"

typedef struct Commons {
    const Config *config; /* borrowed */
    Bus bus;              /* with the history */
    JobPool *jobs;        /* NULL: work is done at once, by the worker itself */
    Shared *shared;
    Meters *meters;
    Keyring keys; /* as the store and the settings say at the start; each worker has a copy */
    Revocations revocations; /* likewise */
    Store *store;            /* NULL: the roster has it */
} Commons;

void commons_init(Commons *commons, const Config *config);
void commons_deinit(Commons *commons);

/* What fails is logged. */
WARN_UNUSED int commons_open_store(Commons *commons);
WARN_UNUSED int commons_start_jobs(Commons *commons); /* their threads */

#endif
