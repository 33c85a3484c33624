/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <stdint.h>

enum { FIN = 0x80, MASKED = 0x80, LENGTH_16 = 126, LENGTH_64 = 127 };

static uint64_t read_big_endian(const unsigned char *bytes, size_t len) {
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) value = value << 8 | bytes[i];
    return value;
}

bool frame_take(Str *bytes, Frame *frame) {
    const unsigned char *data = (const unsigned char *)bytes->data;
    if (bytes->len < 2) return false;
    uint64_t len = data[1] & 0x7F;
    size_t extra = len == LENGTH_16 ? 2 : len == LENGTH_64 ? 8 : 0;
    if (bytes->len < 2 + extra) return false;
    if (extra > 0) len = read_big_endian(data + 2, extra);
    if (bytes->len - 2 - extra < len) return false;
    frame->opcode = data[0] & 0x0F;
    frame->payload = str_make(bytes->data + 2 + extra, (size_t)len);
    size_t total = 2 + extra + (size_t)len;
    *bytes = str_make(bytes->data + total, bytes->len - total);
    return true;
}

void frame_add(Buf *out, int opcode, Str payload) {
    buf_add_char(out, (char)(FIN | opcode));
    if (payload.len < LENGTH_16) {
        buf_add_char(out, (char)(MASKED | payload.len));
    } else {
        buf_add_char(out, (char)(MASKED | LENGTH_16));
        buf_add_char(out, (char)(payload.len >> 8));
        buf_add_char(out, (char)(payload.len & 0xFF));
    }
    buf_add(out, str_make("\0\0\0\0", 4));
    buf_add(out, payload);
}
