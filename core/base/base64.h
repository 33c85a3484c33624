/* SPDX-License-Identifier: Apache-2.0
 *
 * base64: RFC 4648, strict: a text has one form only. Its time may tell what it reads or writes, so what is secret
 * and lasts is encoded by secret_random_text. Any thread.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

typedef enum {
    BASE64_PADDED, /* RFC 4648 4 */
    BASE64_URL     /* RFC 4648 5, without padding, as RFC 7515 2 has it */
} Base64;

/* How many characters that number of bytes takes. */
#define BASE64_PADDED_LEN(bytes) (((bytes) + 2) / 3 * 4)
#define BASE64_URL_LEN(bytes) (((bytes)*4 + 2) / 3)

/* Writes so many characters; gives their number. */
size_t base64_encode(Base64 form, Str bytes, char *out);
void base64_add(Base64 form, Str bytes, Buf *out); /* the same onto the end of a Buf */

/* Appends the bytes. ERR_INVALID, and nothing appended: a foreign character, wrong padding, or bits set behind the last
 * byte. */
WARN_UNUSED int base64_decode(Base64 form, Str text, Buf *out);

#endif
