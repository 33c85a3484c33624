/* SPDX-License-Identifier: Apache-2.0
 *
 * fanout: a Notice to the sessions of one worker. Nothing is allocated per delivery, no lock is taken,
 * and each frame's count is touched once per target. Worker's thread only.
 */
#ifndef HUB_FANOUT_H
#define HUB_FANOUT_H

#include "hub/notice.h"
#include "hub/registry.h"
#include "hub/tally.h"

/* Delivers to all sessions here; counts into `tally` when it is not NULL. `is_dry`: only counts. */
void fanout_deliver(Registry *registry, const Notice *notice, bool is_dry, Tally *tally);

#endif
