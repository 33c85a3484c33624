/* SPDX-License-Identifier: Apache-2.0
 *
 * drain: the worker stops: what runs as HTTP is answered, idle connections end, sessions are told 1012.
 * Worker's thread only.
 */
#ifndef NET_DRAIN_H
#define NET_DRAIN_H

#include "net/net.h"

/* Also what opens from now on is closed at once. */
void drain_start(Net *net);

#endif
