/* SPDX-License-Identifier: Apache-2.0
 *
 * poller: an epoll set of its own within the loop. What libuv keeps for a socket is three times what a
 * Conn needs, and an idle session is little else than its Conn; here a socket costs nothing but its place
 * in the kernel's set. Level-triggered. Worker's thread only.
 */
#ifndef NET_POLLER_H
#define NET_POLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* `events` are epoll's. The target may be gone already for its owner, but must still be memory: what is
 * freed while events are handed out is freed behind the turn. */
typedef void (*PollerOnReady)(void *target, uint32_t events);

typedef struct Poller {
    int fd;
    uv_poll_t poll; /* does not keep the loop alive */
    PollerOnReady on_ready;
} Poller;

/* In memory the caller owns, which the loop uses until its handles are closed. */
void poller_init(Poller *poller, uv_loop_t *loop, PollerOnReady on_ready);
void poller_deinit(Poller *poller); /* after the loop is closed */

/* What is watched of a descriptor, and what was; 0: nothing, then it is not in the set. False: the kernel
 * has no room for it. */
bool poller_watch(Poller *poller, int fd, uint32_t before, uint32_t events, void *target);

#endif
