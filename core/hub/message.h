/* SPDX-License-Identifier: Apache-2.0
 *
 * message: one event as it goes out: name and attributes, encoded at most once per encoding into frames
 * that all its receivers share. How a frame looks is the transport's: it brings a MessageEncoder. The
 * first encoding is made at once and holds the parts; the others are made from these by the first
 * thread that wants one, so that a node without such sessions pays nothing. Any thread may read.
 */
#ifndef HUB_MESSAGE_H
#define HUB_MESSAGE_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/str.h"

/* What a frame is made of. */
typedef struct MessageParts {
    Str event;      /* a JSON string with its quotes */
    Str attributes; /* raw JSON */
    Str ack;        /* raw JSON, or STR_NONE */
    Str id;         /* the event's cursor, letters and digits, or STR_NONE */
    /* For one session of Socket.IO alone: */
    uint32_t ask;          /* the client shall acknowledge it under this number; 0: not */
    uint32_t binary_count; /* binary messages that follow */
    bool is_spread;        /* the attributes are an array: an argument each */
} MessageParts;

enum { MESSAGE_ID_LEN = 22 };

/* Encodes one event into a whole frame and gives it. `placed`, unless NULL, gets event, attributes, ack and id
 * as they lie in the frame; it is NULL for all encodings but the first. */
typedef Bytes *(*MessageEncoder)(const MessageParts *parts, MessageParts *placed);

/* The encodings; several transports may share one. */
typedef enum { MESSAGE_WS, MESSAGE_SSE, MESSAGE_SIO, MESSAGE_TRANSPORT_COUNT } MessageTransport;

struct Notice;

typedef struct Message {
    struct Notice *notice; /* that it lies in */
    /* NULL until made, then never changed. Release and acquire: who sees the pointer sees the frame. */
    _Atomic(Bytes *) frames[MESSAGE_TRANSPORT_COUNT];
    const MessageEncoder *encoders;
    MessageParts parts; /* inside the first frame */
    uint64_t key;       /* of those with the same one only the newest matters; 0: none */
    uint64_t ends_ms;   /* monotonic; then it is worth nothing; 0: never */
} Message;

typedef struct MessageSpec {
    Str event;      /* the plain name */
    Str attributes; /* raw JSON that was checked */
    Str ack;        /* raw JSON that clients shall confirm the event with, or STR_NONE */
    uint64_t key;
    uint64_t ends_ms;
    bool has_id; /* there is room for an id, which message_set_id fills */
} MessageSpec;

/* Borrows the spec. `encoders` has MESSAGE_TRANSPORT_COUNT entries and outlives the message. */
void message_init(Message *message, const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT],
                  const MessageSpec *spec);

/* The id is known only when the event's place in the order is: once, before anybody else sees the
 * message. */
void message_set_id(Message *message, const char id[MESSAGE_ID_LEN]);
void message_deinit(Message *message);

/* Makes a frame that is not there yet. Borrows, as long as the message lives. */
Bytes *message_encode(Message *message, MessageTransport transport);

/* Keeps it, with all of its Notice, until as many releases. Any thread. */
const Message *message_retain(const Message *message);
void message_release(const Message *message);

/* The frame of an encoding. Borrows. */
static inline Bytes *message_frame(const Message *message, MessageTransport transport) {
    Bytes *frame = atomic_load_explicit(&message->frames[transport], memory_order_acquire);
    return frame != NULL ? frame : message_encode((Message *)(uintptr_t)message, transport);
}

#endif
