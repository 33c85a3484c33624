/* SPDX-License-Identifier: Apache-2.0
 *
 * bytes: an immutable, counted block of bytes, one of the two things that cross between threads.
 * Whoever makes it may fill bytes->data until the first other owner appears; after that nobody
 * writes. The count is atomic; retain or release many at once where the same block goes to many.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/str.h"

typedef struct Bytes {
    /* Relaxed add to retain (the retainer owns a reference already), release-acquire to let go (the
     * last owner must see every other owner's reads done before it frees). */
    atomic_uint_least32_t refs;
    uint32_t len; /* bytes */
    char data[];
} Bytes;

Bytes *bytes_new(size_t len);      /* gives one reference; data uninitialised */
Bytes *bytes_copy(Str text);       /* gives one reference */
Bytes *bytes_retain(Bytes *bytes); /* gives one more */
void bytes_retain_many(Bytes *bytes, uint32_t count);
void bytes_release(Bytes *bytes); /* takes one; NULL is fine */
void bytes_release_many(Bytes *bytes, uint32_t count);

static inline Str bytes_str(const Bytes *bytes) {
    return str_make(bytes->data, bytes->len);
}

#endif
