/* SPDX-License-Identifier: Apache-2.0
 *
 * secret: random bytes, and comparing without telling where two texts differ. Any thread, after secret_setup.
 */
#ifndef DATA_SECRET_H
#define DATA_SECRET_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Once, before anything else of this room. ERR_UNAVAILABLE: the system gives no randomness. */
WARN_UNUSED int secret_setup(void);

uint64_t secret_random_number(void);

/* Up to 512 random bytes, cheaply: for what need not stay secret for long. */
void secret_random(void *out, size_t len);

/* Appends `bytes` random bytes as base64 for URLs, without padding. */
void secret_random_text(size_t bytes, Buf *out);

/* Whether they are equal, in a time that depends on the length of `given` alone. */
bool secret_equal(Str given, Str known);

/* Appends a digest of the text (BLAKE2b, 256 bits) as hexadecimal: for keys that are random and long;
 * passwords want password_hash. */
void secret_hash(Str text, Buf *out);

/* Writes a digest of the text (BLAKE2b, 128 bits) as base64 for URLs. */
enum { SECRET_HASH_SHORT_LEN = 22 };
void secret_hash_short(Str text, char out[SECRET_HASH_SHORT_LEN]);

/* Overwrites memory that held a secret, also where the compiler sees no use of it. */
void secret_wipe(void *memory, size_t len);

#endif
