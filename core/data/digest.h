/* SPDX-License-Identifier: Apache-2.0
 *
 * digest: HMAC (RFC 2104), and SHA-1, which the opening handshake of WebSocket asks for: that one protects nothing any
 * more and is for no other use. Any thread, after digest_setup.
 */
#ifndef DATA_DIGEST_H
#define DATA_DIGEST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Once, before anything else of this room. ERR_UNAVAILABLE: the library has no SHA-1. */
WARN_UNUSED int digest_setup(void);

/* Appends the SHA-1 of `text` in base64, 28 characters. */
void digest_sha1_base64(Str text, Buf *out);

enum { DIGEST_MAC_MAX = 64 };

/* HMAC with SHA-256, SHA-384 or SHA-512 (`bits`) and a key of any length, made ready for many texts. One thread at a
 * time. NULL for other bits. Gives. */
typedef struct DigestMac DigestMac;
DigestMac *digest_mac_new(unsigned bits, Str key);
void digest_mac_free(DigestMac *mac); /* wipes it; NULL is fine */

/* Writes the code of the text; how many bytes. */
size_t digest_mac_make(DigestMac *mac, Str text, char out[DIGEST_MAC_MAX]);

/* Appends the HMAC with SHA-256 as 64 hexadecimal digits. */
void digest_hmac_sha256(Str key, Str text, Buf *out);

#endif
