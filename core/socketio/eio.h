/* SPDX-License-Identifier: Apache-2.0
 *
 * eio: the packets of Engine.IO v4 as bytes, without I/O and without state. A WebSocket carries one packet
 * a frame: text with the type as its first character, or the bare bytes of a binary message. A polling
 * body carries several texts between separators, binary ones as "b" and base64. Frames are the currency
 * inside: what waits for a polling client is made of them. Any thread.
 */
#ifndef SOCKETIO_EIO_H
#define SOCKETIO_EIO_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/* The digit of each is its number. */
typedef enum { EIO_OPEN, EIO_CLOSE, EIO_PING, EIO_PONG, EIO_MESSAGE, EIO_UPGRADE, EIO_NOOP } EioType;

typedef struct EioPacket {
    EioType type;
    bool is_binary; /* EIO_MESSAGE only */
    Str data;       /* what follows the type */
} EioPacket;

/* Reads the text of one packet, which is UTF-8. False: it is none. Borrows. */
bool eio_parse(Str text, EioPacket *packet);

/* The packets of a polling body, one after the other. */
typedef struct EioWalk {
    Str rest;
    Buf bytes; /* of the binary packet that was given last */
    bool is_over;
} EioWalk;

EioWalk eio_walk(Str body);

/* Gives the next packet, which is good until the next call; false at the end. *err becomes ERR_INVALID when
 * what comes next is no packet: nothing more is given then. */
bool eio_next(EioWalk *walk, EioPacket *packet, int *err);
void eio_end(EioWalk *walk);

/* A packet as a WebSocket text frame. Gives. */
Bytes *eio_encode(EioType type, Str data);

/* Appends the packets that whole WebSocket frames carry, one each, to a polling body. */
void eio_add_frames(Buf *body, const Bytes *frames);

/* The same as a text frame, a binary message as "b" and base64, for clients without binary frames. Gives. */
Bytes *eio_encode_text(const Bytes *frame);

/* What the packet EIO_OPEN says; sizes in bytes, times in milliseconds. */
typedef struct EioHandshake {
    Str sid;
    bool can_upgrade;
    uint32_t ping_interval_ms;
    uint32_t ping_timeout_ms;
    uint32_t payload_bytes_max;
} EioHandshake;

void eio_add_handshake(Buf *out, const EioHandshake *handshake);

#endif
