/* SPDX-License-Identifier: Apache-2.0
 *
 * listener: a listening TCP socket of one worker. Every worker binds the same address with
 * SO_REUSEPORT and the kernel spreads new connections. Worker's thread only (listener_bind and
 * listener_probe may be called by the main thread before the worker runs).
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdint.h>
#include <uv.h>

#include "base/err.h"

typedef struct Listener Listener;

/* A connection came: takes its socket, which does not block. */
typedef void (*ListenerOnConnect)(void *context, int fd);

/* Binds without listening yet and gives the descriptor. `host` NULL or "" means all interfaces (IPv6
 * and IPv4 alike where there is IPv6, else IPv4), else an address or a name; `port` 0 picks a free
 * one. *port_bound tells which. ERR_EXISTS: the address is in use; ERR_DENIED: not permitted;
 * ERR_NOT_FOUND: no such host; ERR_IO. */
WARN_UNUSED int listener_bind(const char *host, uint16_t port, int *fd, uint16_t *port_bound);

/* Whether the address is free: to be asked once, before the first listener_bind, which shares it
 * with any program of the same user that shares it too. The same errors. */
WARN_UNUSED int listener_probe(const char *host, uint16_t port);

/* Listens on the loop with the descriptor of listener_bind (takes it, also when it fails). When the
 * process runs out of descriptors, connections are left waiting for a moment. ERR_IO. */
WARN_UNUSED int listener_open(uv_loop_t *loop, int fd, ListenerOnConnect on_connect, void *context,
                              Listener **listener);

/* Stops accepting; asynchronous, frees itself in the close callback. */
void listener_close(Listener *listener);

#endif
