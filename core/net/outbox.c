/* SPDX-License-Identifier: Apache-2.0
 *
 * A note names its frame by the number of slots that left before it, so that a frame that was sent
 * meanwhile is told from a newer one at the same address. Notes of frames that were sent go when the next
 * one is made; a connection that keeps up has none.
 */
#include "net/outbox.h"

#include <sys/uio.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "net/session.h"

enum { BUFFERS_MAX = 64 };

typedef struct OutboxNote {
    uint32_t number;        /* of its slot, counted as Outbox.popped */
    Subscriber *subscriber; /* of a session that is pinned */
    const Message *message; /* retained */
} OutboxNote;

typedef struct OutboxNotes {
    uint32_t count, cap;
    OutboxNote items[]; /* by rising number */
} OutboxNotes;

void outbox_init(Outbox *outbox) {
    *outbox = (Outbox){.cap = OUTBOX_INSIDE};
}

static void forget_note(const OutboxNote *note) {
    session_unpin(session_of(note->subscriber));
    message_release(note->message);
}

static void forget_notes(Outbox *outbox) {
    OutboxNotes *notes = outbox->notes;
    outbox->notes = NULL;
    for (uint32_t i = 0; i < notes->count; i++) forget_note(&notes->items[i]);
    mem_free(notes);
}

static void reset(Outbox *outbox) {
    if (outbox->cap > OUTBOX_INSIDE) mem_free(outbox->slots.heap);
    if (outbox->notes != NULL) forget_notes(outbox);
    outbox->first = outbox->count = outbox->written = 0;
    outbox->cap = OUTBOX_INSIDE;
}

void outbox_deinit(Outbox *outbox) {
    for (uint32_t i = 0; i < outbox->count; i++) bytes_release(outbox_slots(outbox)[outbox->first + i]);
    reset(outbox);
}

void outbox_make_room(Outbox *outbox) {
    Bytes **slots = outbox_slots(outbox);
    if (outbox->first > outbox->cap / 2) {
        memmove(slots, slots + outbox->first, outbox->count * sizeof *slots);
    } else {
        uint32_t cap = outbox->cap * 4;
        Bytes **bigger = mem_grow(NULL, cap, sizeof *bigger);
        memcpy(bigger, slots + outbox->first, outbox->count * sizeof *slots);
        if (outbox->cap > OUTBOX_INSIDE) mem_free(slots);
        outbox->slots.heap = bigger;
        outbox->cap = cap;
    }
    outbox->first = 0;
}

ssize_t outbox_write(const Outbox *outbox, int fd, size_t *total) {
    struct iovec buffers[BUFFERS_MAX];
    Bytes **slots = outbox_slots(outbox) + outbox->first;
    int n = outbox->count < BUFFERS_MAX ? (int)outbox->count : BUFFERS_MAX;
    *total = 0;
    for (int i = 0; i < n; i++) {
        uint32_t skip = i == 0 ? outbox->written : 0;
        buffers[i] = (struct iovec){slots[i]->data + skip, slots[i]->len - skip};
        *total += buffers[i].iov_len;
    }
    return writev(fd, buffers, n);
}

static void pop_all(Outbox *outbox, Net *net) {
    Bytes **slots = outbox_slots(outbox) + outbox->first;
    for (uint32_t i = 0; i < outbox->count; i++) net_release(net, slots[i]);
    outbox->popped += outbox->count;
    outbox->queued = 0;
    reset(outbox);
}

void outbox_pop(Outbox *outbox, Net *net, size_t len) {
    if (len == outbox->queued) {
        pop_all(outbox, net);
        return;
    }
    Bytes **slots = outbox_slots(outbox);
    outbox->queued -= len;
    for (;;) {
        Bytes *bytes = slots[outbox->first];
        size_t left = bytes->len - outbox->written;
        if (len < left) {
            outbox->written += (uint32_t)len;
            return;
        }
        len -= left;
        outbox->written = 0;
        outbox->first++;
        outbox->count--;
        outbox->popped++;
        net_release(net, bytes);
    }
}

/* --- notes --- */

static uint32_t slot_of(const Outbox *outbox, const OutboxNote *note) {
    return note->number - outbox->popped; /* far beyond `count` when it was sent */
}

static void drop_slot(Outbox *outbox, Net *net, uint32_t slot) {
    Bytes **at = outbox_slots(outbox) + outbox->first + slot;
    Bytes *bytes = *at;
    outbox->queued -= bytes->len;
    memmove(at, at + 1, (outbox->count - slot - 1) * sizeof *at);
    outbox->count--;
    net_release(net, bytes);
}

/* Why frames are void now. */
typedef struct Verdict {
    NetVoid why;
    const Delivery *newer; /* NET_SUPERSEDED */
    uint64_t now_ms;       /* NET_EXPIRED */
} Verdict;

static bool is_void(const OutboxNote *note, const Verdict *verdict) {
    const Message *message = note->message;
    if (verdict->why == NET_EXPIRED)
        return message->ends_ms != 0 && message->ends_ms <= verdict->now_ms;
    const Delivery *newer = verdict->newer;
    return message->key == newer->message->key && note->subscriber == newer->subscriber;
}

static void drop(Outbox *outbox, Net *net, const OutboxNote *note, NetVoid why) {
    drop_slot(outbox, net, slot_of(outbox, note));
    metrics_add(why == NET_SUPERSEDED ? METRIC_superseded_total : METRIC_expired_total, 1);
    net->on_void(net->void_context, note->subscriber, note->message, why);
    forget_note(note);
}

/* Keeps the notes of frames that still wait behind the first `busy`, and drops frames that are void: all
 * numbers behind one of these are one less then. Gives their bytes. */
static size_t sift(Outbox *outbox, Net *net, uint32_t busy, const Verdict *verdict) {
    OutboxNotes *notes = outbox->notes;
    size_t before = outbox->queued;
    uint32_t kept = 0;
    uint32_t dropped = 0;
    for (uint32_t i = 0; notes != NULL && i < notes->count; i++) {
        OutboxNote note = notes->items[i];
        note.number -= dropped;
        uint32_t slot = slot_of(outbox, &note);
        if (slot >= outbox->count || slot < busy) {
            forget_note(&note);
        } else if (is_void(&note, verdict)) {
            drop(outbox, net, &note, verdict->why);
            dropped++;
        } else {
            notes->items[kept++] = note;
        }
    }
    if (notes != NULL) notes->count = kept;
    return before - outbox->queued;
}

void outbox_note(Outbox *outbox, const Delivery *delivery) {
    OutboxNotes *notes = outbox->notes;
    if (notes == NULL || notes->count == notes->cap) {
        uint32_t count = notes ? notes->count : 0;
        uint32_t cap = count ? count * 2 : 4;
        notes = mem_realloc(notes, sizeof *notes + cap * sizeof notes->items[0]);
        notes->count = count;
        notes->cap = cap;
        outbox->notes = notes;
    }
    session_pin(session_of(delivery->subscriber));
    notes->items[notes->count++] = (OutboxNote){
        .number = outbox->popped + outbox->count - 1,
        .subscriber = delivery->subscriber,
        .message = message_retain(delivery->message),
    };
}

size_t outbox_supersede(Outbox *outbox, Net *net, uint32_t busy, const Delivery *delivery) {
    return sift(outbox, net, busy, &(Verdict){.why = NET_SUPERSEDED, .newer = delivery});
}

size_t outbox_expire(Outbox *outbox, Net *net, uint32_t busy, uint64_t now_ms) {
    return sift(outbox, net, busy, &(Verdict){.why = NET_EXPIRED, .now_ms = now_ms});
}
