/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ensure.h"
#include "base/mem.h"

enum { BUF_CAP_MIN = 64 };

void buf_deinit(Buf *buf) {
    mem_free(buf->data);
    *buf = BUF_NONE;
}

void buf_clear(Buf *buf) {
    buf->len = 0;
}

void buf_reserve(Buf *buf, size_t more) {
    ensure(more <= SIZE_MAX / 2 - buf->len);
    size_t wanted = buf->len + more;
    if (wanted <= buf->cap) return;
    size_t cap = buf->cap ? buf->cap : BUF_CAP_MIN;
    while (cap < wanted) cap *= 2;
    buf->data = mem_realloc(buf->data, cap);
    buf->cap = cap;
}

void buf_add(Buf *buf, Str bytes) {
    if (bytes.len == 0) return;
    buf_reserve(buf, bytes.len);
    memcpy(buf->data + buf->len, bytes.data, bytes.len);
    buf->len += bytes.len;
}

void buf_add_char(Buf *buf, char c) {
    buf_reserve(buf, 1);
    buf->data[buf->len++] = c;
}

void buf_consume(Buf *buf, size_t len) {
    ensure(len <= buf->len);
    buf->len -= len;
    if (buf->len > 0) memmove(buf->data, buf->data + len, buf->len);
}

void buf_addf(Buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ensure(len >= 0);
    buf_reserve(buf, (size_t)len + 1);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
    va_end(again);
    buf->len += (size_t)len;
}
