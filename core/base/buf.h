/* SPDX-License-Identifier: Apache-2.0
 *
 * buf: bytes that grow at the end. In memory the caller owns; buf_deinit frees what it holds. The
 * caller checks limits; a Buf has none. One thread at a time.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

typedef struct Buf {
    char *data;
    size_t len;
    size_t cap;
} Buf;

#define BUF_NONE ((Buf){NULL, 0, 0})

void buf_deinit(Buf *buf);               /* frees; the Buf is empty afterwards and may be used again */
void buf_clear(Buf *buf);                /* len = 0, keeps the memory */
void buf_reserve(Buf *buf, size_t more); /* room for `more` bytes behind len */
void buf_add(Buf *buf, Str bytes);
void buf_add_char(Buf *buf, char c);
void buf_consume(Buf *buf, size_t len); /* drops `len` bytes from the front */

/* printf onto the end. */
__attribute__((format(printf, 2, 3))) void buf_addf(Buf *buf, const char *format, ...);

static inline Str buf_str(const Buf *buf) {
    return str_make(buf->data, buf->len);
}

#endif
