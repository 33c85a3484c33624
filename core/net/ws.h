/* SPDX-License-Identifier: Apache-2.0
 *
 * ws: WebSocket frames (RFC 6455) on wslay, server side, as a state machine without I/O. Fed bytes,
 * it gives whole messages and control frames; it encodes frames for sending. A context (wslay's,
 * the message so far; 5 KiB and the message) is attached from the worker's pool only while bytes of
 * a message are in flight, so an idle Ws is a few words. Strict: UTF-8 is judged as the bytes come,
 * a frame by its header before any payload. It answers nothing by itself: pongs and closes are the
 * owner's. Any one thread.
 */
#ifndef NET_WS_H
#define NET_WS_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

typedef struct WsLimits {
    uint64_t message_bytes_max; /* 1009 */
    uint32_t fragments_max;     /* frames of one message: 1008 */
    uint32_t pool_max;          /* contexts kept for reuse */
} WsLimits;

typedef struct WsContext WsContext;

typedef enum { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 } WsOpcode;

/* Close codes (RFC 6455 7.4.1). WS_CODE_NONE and WS_CODE_LOST stand for what was not said: they are
 * never in a frame. */
enum {
    WS_CODE_PROTOCOL = 1002, /* the peer broke the protocol */
    WS_CODE_NONE = 1005,     /* a close frame without a code */
    WS_CODE_LOST = 1006,     /* the connection went away without a close frame */
    WS_CODE_UTF8 = 1007,     /* text that is no UTF-8 */
    WS_CODE_POLICY = 1008,   /* too many fragments */
    WS_CODE_TOO_BIG = 1009
};

typedef struct Ws Ws;

/* Callbacks borrow. None may free or feed the Ws; ws_stop makes ws_feed return early. */
typedef struct WsHandler {
    /* WS_TEXT, WS_BINARY: a whole message. WS_PING, WS_PONG: the application data. WS_CLOSE: the
     * peer's close; `code` is its status (1005 when it gave none), payload the reason. The owner
     * answers pings and closes itself. */
    void (*on_frame)(Ws *ws, WsOpcode opcode, uint16_t code, Str payload);
    /* The peer broke the protocol or a limit: close with this code (1002, 1007, 1008, 1009) and
     * reason (static, short enough for a close frame). Nothing comes after it. */
    void (*on_fault)(Ws *ws, uint16_t code, const char *reason);
} WsHandler;

/* The contexts that are not attached now. In memory the worker owns. */
typedef struct WsPool {
    WsContext *free;
    uint32_t free_count;
    WsLimits limits;
    const WsHandler *handler; /* of all that use the pool */
} WsPool;

/* Copies the limits, borrows the handler. */
void ws_pool_init(WsPool *pool, const WsLimits *limits, const WsHandler *handler);
void ws_pool_deinit(WsPool *pool);

struct Ws {
    WsContext *context; /* NULL at a message boundary */
    bool is_stopped;    /* after a fault, a close frame or ws_stop: further bytes are ignored */
};

void ws_init(Ws *ws);
void ws_deinit(Ws *ws);                        /* gives the context back */
void ws_feed(Ws *ws, WsPool *pool, Str bytes); /* always with the same pool */
void ws_stop(Ws *ws);

/* A whole unmasked frame, header and payload in one block. Gives. */
Bytes *ws_encode(WsOpcode opcode, Str payload);

/* Gives. Code 1005: without a status. The reason is cut to 123 bytes at a character, and left out
 * when it is not UTF-8. */
Bytes *ws_encode_close(uint16_t code, Str reason);

/* The length of the header of an unmasked frame with such a payload, and the header itself (up to
 * WS_HEADER_MAX bytes) for those who build the frame in place. */
enum { WS_HEADER_MAX = 10 };
size_t ws_header_len(size_t payload_len);
void ws_write_header(char *out, WsOpcode opcode, size_t payload_len);

/* Of whole frames that we encoded: takes the first off and returns its payload. Borrows. */
Str ws_split(Str *frames, WsOpcode *opcode);

/* Whether a close code may appear in a frame (RFC 6455 7.4): 1000-1003, 1007-1014, 3000-4999. */
bool ws_code_is_valid(uint16_t code);

#endif
