/* SPDX-License-Identifier: Apache-2.0
 *
 * digest: SHA-1, which the opening handshake of WebSocket asks for, and HMAC-SHA256 (RFC 2104). SHA-1 protects
 * nothing any more: for no other use. Any thread.
 */
#ifndef DATA_DIGEST_H
#define DATA_DIGEST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends the SHA-1 of `text` in base64, 28 characters. */
void digest_sha1_base64(Str text, Buf *out);

/* Appends 64 hexadecimal digits. A key of any length. */
void digest_hmac_sha256(Str key, Str text, Buf *out);

#endif
