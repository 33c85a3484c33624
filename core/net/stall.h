/* SPDX-License-Identifier: Apache-2.0
 *
 * stall: a connection of which the kernel did not take all: whether its peer takes anything, and how long
 * something waits for it. Part of a Conn. Worker's thread only.
 */
#ifndef NET_STALL_H
#define NET_STALL_H

#include "net/outbox.h"

typedef struct Stall {
    size_t left;        /* not taken by the peer when we last looked, and queued since */
    uint32_t aged_ms;   /* since when aged_slot waits at least, low bits; 0: nothing waits */
    uint32_t aged_slot; /* the last one of the outbox at that time, by its number */
} Stall;

/* The kernel did not take all of the outbox; may be repeated, until it has. */
void stall_start(Stall *stall, const Outbox *outbox, int fd, uint64_t now_ms);
static inline void stall_end(Stall *stall) {
    stall->aged_ms = 0;
}

/* Whether the peer has taken something since the last look. */
bool stall_has_eased(Stall *stall, const Outbox *outbox, int fd);

/* How long something waits already: at most half of the truth. 0: nothing does. */
uint32_t stall_age_ms(Stall *stall, const Outbox *outbox, uint64_t now_ms);

/* `len` bytes were dropped from the outbox. */
void stall_drop(Stall *stall, const Outbox *outbox, size_t len);

#endif
