/* SPDX-License-Identifier: Apache-2.0
 *
 * drain: the worker stops: what runs as HTTP is answered, idle connections end, sessions are told 1012,
 * spread over a while, so that not all come back to the next server at once. Worker's thread only.
 */
#ifndef NET_DRAIN_H
#define NET_DRAIN_H

#include "net/net.h"

/* How many of `count` are told now, of which there is a part every WHEEL_TICK_MS, so that all are told when
 * `until_ms` comes, monotonic. Few are told at once. */
uint32_t drain_share(const Net *net, uint32_t count, uint64_t until_ms);

/* Also what opens from now on is closed at once. */
void drain_start(Net *net);

/* Tells the share of the sessions. */
void drain_step(Net *net, uint64_t until_ms);

#endif
