/* SPDX-License-Identifier: Apache-2.0
 *
 * outbox: what waits to be written on one connection: an array of Bytes pointers, two of them inside, in
 * the order in which they were queued. Frames in flight are at its front and stay. Of frames that wait
 * behind them it can be noted that a newer one of their key, or time, makes them void. Owns a reference of
 * each Bytes, or is owed one (conn_write_unretained). Worker's thread only.
 */
#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

#include <sys/types.h>

#include "hub/subscriber.h"
#include "net/net.h"

enum { OUTBOX_INSIDE = 2 };

typedef struct Outbox {
    union {
        Bytes *inside[OUTBOX_INSIDE];
        Bytes **heap; /* when cap > OUTBOX_INSIDE */
    } slots;
    uint32_t first, count, cap; /* slots in use: first .. first + count */
    uint32_t written;           /* bytes of the first slot that are sent */
    uint32_t popped;            /* slots that ever left from the front, the first one's number; wraps */
    size_t queued;              /* bytes in the slots less `written` */
    struct OutboxNotes *notes;  /* NULL: none */
} Outbox;

void outbox_init(Outbox *outbox);
void outbox_deinit(Outbox *outbox); /* releases what is left, at once */

/* For those below. */
void outbox_make_room(Outbox *outbox);
static inline Bytes **outbox_slots(const Outbox *outbox) {
    Outbox *self = (Outbox *)(uintptr_t)outbox;
    return self->cap > OUTBOX_INSIDE ? self->slots.heap : self->slots.inside;
}

static inline void outbox_push(Outbox *outbox, Bytes *bytes) {
    if (outbox->first + outbox->count == outbox->cap) outbox_make_room(outbox);
    outbox_slots(outbox)[outbox->first + outbox->count++] = bytes;
    outbox->queued += bytes->len;
}

/* The only frame, of which nothing is sent yet, as most leave; NULL: there is more to it. */
static inline Bytes *outbox_single(const Outbox *outbox) {
    bool is_alone = outbox->count == 1 && outbox->cap == OUTBOX_INSIDE;
    bool is_single = is_alone && outbox->written == 0 && outbox->notes == NULL;
    return is_single ? outbox->slots.inside[outbox->first] : NULL;
}

/* It is sent: gives its reference. */
static inline void outbox_pop_single(Outbox *outbox) {
    outbox->first = outbox->count = 0;
    outbox->popped++;
    outbox->queued = 0;
}

/* Offers the first of them to the kernel, in one write: `total` bytes. Gives what writev does. */
ssize_t outbox_write(const Outbox *outbox, int fd, size_t *total);

/* The kernel has taken `len` bytes: drops them from the front. */
void outbox_pop(Outbox *outbox, Net *net, size_t len);

/* An event on its way to one session. */
typedef struct Delivery {
    Subscriber *subscriber;
    const Message *message;
    Bytes *frame; /* of the message, as the session's transport has it */
} Delivery;

/* Notes the frame, which was pushed last. Pins the session and keeps the message until it is sent or void. */
void outbox_note(Outbox *outbox, const Delivery *delivery);

/* Drops the waiting frames of the session that have the key of the message; the first `busy` are in flight. Each is
 * counted, and the net told of it (Net.on_void). Gives how many bytes these were. */
size_t outbox_supersede(Outbox *outbox, Net *net, uint32_t busy, const Delivery *delivery);

/* Drops the waiting frames whose time is over, the same. */
size_t outbox_expire(Outbox *outbox, Net *net, uint32_t busy, uint64_t now_ms);

#endif
