/* SPDX-License-Identifier: Apache-2.0
 *
 * digest: SHA-1, which the opening handshake of WebSocket asks for, base64 (RFC 4648 4, with padding), and
 * HMAC-SHA256 (RFC 2104). SHA-1 protects nothing any more: for no other use. Any thread.
 */
#ifndef DATA_DIGEST_H
#define DATA_DIGEST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends the SHA-1 of `text` in base64, 28 characters. */
void digest_sha1_base64(Str text, Buf *out);

void digest_base64_encode(Str bytes, Buf *out); /* appends */

/* Appends the bytes. ERR_INVALID, and nothing appended: a foreign character, wrong padding, or bits
 * set behind the last byte. */
WARN_UNUSED int digest_base64_decode(Str text, Buf *out);

/* Appends 64 hexadecimal digits. A key of any length. */
void digest_hmac_sha256(Str key, Str text, Buf *out);

#endif
