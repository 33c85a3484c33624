/* SPDX-License-Identifier: Apache-2.0
 *
 * health: asks a running server on this machine whether it is ready, for `chatty health`. Blocks.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdint.h>

#include "base/err.h"

/* 0: GET /readyz of the host ("" is the loopback) answered 200. ERR_UNAVAILABLE: it answered something else;
 * ERR_CLOSED: nobody listens. */
WARN_UNUSED int health_ask(const char *host, uint16_t port);

#endif
