/* SPDX-License-Identifier: Apache-2.0
 *
 * sio: the packets of Socket.IO v5, which are the messages of Engine.IO: a text, and for binary packets as
 * many binary messages behind it. A state machine without I/O: fed messages, it gives whole packets. It
 * knows the form of packets and no namespaces, sessions or events. One Sio per connection. Any one thread.
 */
#ifndef SOCKETIO_SIO_H
#define SOCKETIO_SIO_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "hub/message.h"

/* The digit of each is its number. */
typedef enum {
    SIO_CONNECT,
    SIO_DISCONNECT,
    SIO_EVENT,
    SIO_ACK,
    SIO_CONNECT_ERROR,
    SIO_BINARY_EVENT,
    SIO_BINARY_ACK
} SioType;

typedef struct SioLimits {
    uint32_t attachments_max; /* of one packet */
    uint32_t json_depth_max;
} SioLimits;

enum {
    SIO_NO_ACK = -1,
    SIO_NAMESPACE_MAX = 255,  /* bytes of a namespace's name */
    SIO_BINARY_DEPTH_MAX = 16 /* containers within each other in a packet with binaries */
};

typedef struct SioPacket {
    SioType type; /* binary ones are told as SIO_EVENT and SIO_ACK */
    Str name_space;
    int64_t ack;         /* its number, or SIO_NO_ACK */
    Str event;           /* SIO_EVENT: the name, a JSON string or number */
    Str arguments;       /* SIO_EVENT, SIO_ACK: raw JSON items with commas between them; may be empty */
    uint32_t count;      /* of arguments */
    Str auth;            /* SIO_CONNECT: a JSON object, or STR_NONE */
    const Str *binaries; /* what the placeholders in `arguments` stand for */
    uint32_t binary_count;
    Str text; /* the whole of it without binaries: sio_parse reads it again */
} SioPacket;

typedef struct Sio {
    struct SioParts *parts; /* of a binary packet under way, else NULL */
} Sio;

typedef enum {
    SIO_FED_MORE,   /* binaries are to come */
    SIO_FED_PACKET, /* `packet` is whole; borrows from the message and the Sio until the next feed */
    SIO_FED_FAULT   /* nothing of Socket.IO: end the connection */
} SioFed;

/* Names that mean happenings of the connection to a client. */
enum { SIO_RESERVED_COUNT = 6 };
extern const Str sio_reserved[SIO_RESERVED_COUNT];

void sio_init(Sio *sio);
void sio_deinit(Sio *sio);
SioFed sio_feed(Sio *sio, const SioLimits *limits, bool is_binary, Str message, SioPacket *packet);

/* Reads the text of a packet that sio_feed has given before. `binaries` is left to the caller. */
void sio_parse(Str text, SioPacket *packet);

/* What a packet to the client is made of. */
typedef struct SioFrame {
    SioType type; /* never one of the binary ones: `binary_count` says that */
    Str name_space;
    uint32_t binary_count; /* binary frames that the caller sends behind it */
    int64_t ack;           /* or SIO_NO_ACK */
    Str data;              /* raw JSON, or STR_NONE */
} SioFrame;

/* A packet within a WebSocket text frame of Engine.IO. Gives. */
Bytes *sio_encode(const SioFrame *frame);

/* The JSON array of an event or an acknowledgement: the name, if there is one, the attributes, as several
 * arguments if `is_spread` and they are an array, and the id, if there is one. */
void sio_add_arguments(Buf *out, const MessageParts *parts, bool is_spread);

/* An event in a namespace, as all its sessions get it; in two frames when it has both an ack and an id. Gives. */
Bytes *sio_encode_event(const MessageParts *parts, Str name_space);

/* The encoder of MESSAGE_SIO: an event in the main namespace. */
Bytes *sio_encode_message(const MessageParts *parts, MessageParts *placed);

#endif
