/* SPDX-License-Identifier: Apache-2.0
 *
 * frame: WebSocket frames (RFC 6455 5.2) as a client sees them. Borrows; no state.
 */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include "base/buf.h"

enum { FRAME_TEXT = 1, FRAME_BINARY = 2, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10 };

typedef struct Frame {
    int opcode;
    Str payload;
} Frame;

/* Takes one whole frame from the front of the bytes; false when it is not all there yet. */
bool frame_take(Str *bytes, Frame *frame);

/* Appends a frame as clients send it; the mask is zero, which keeps the bytes as they are. */
void frame_add(Buf *out, int opcode, Str payload);

#endif
