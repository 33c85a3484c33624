/* SPDX-License-Identifier: Apache-2.0
 *
 * remote: one HTTP request to a chatty server that runs, as a rule on this machine, for the commands that talk to
 * it. Blocks: for command line tools only.
 */
#ifndef NET_REMOTE_H
#define NET_REMOTE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* All borrowed. */
typedef struct RemoteRequest {
    const char *host; /* "": the loopback */
    uint16_t port;
    Str method;
    Str path;           /* and query */
    Str key;            /* goes out as X-API-Key; empty: none */
    uint32_t timeout_s; /* for each part of the answer */
} RemoteRequest;

/* The body of the answer is added to `body`. ERR_CLOSED: nobody listens; ERR_UNAVAILABLE: the
 * connection was cut; ERR_TIMEOUT; ERR_INVALID: what answers is no chatty, or it is too long. */
WARN_UNUSED int remote_ask(const RemoteRequest *request, int *status, Buf *body);

#endif
