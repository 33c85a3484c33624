/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include "base/ensure.h"
#include "base/mem.h"

Bytes *bytes_new(size_t len) {
    ensure(len <= UINT32_MAX);
    Bytes *bytes = mem_alloc(sizeof *bytes + len);
    atomic_init(&bytes->refs, 1);
    bytes->len = (uint32_t)len;
    return bytes;
}

Bytes *bytes_copy(Str text) {
    Bytes *bytes = bytes_new(text.len);
    if (text.len > 0) memcpy(bytes->data, text.data, text.len);
    return bytes;
}

Bytes *bytes_retain(Bytes *bytes) {
    bytes_retain_many(bytes, 1);
    return bytes;
}

void bytes_retain_many(Bytes *bytes, uint32_t count) {
    if (count > 0) atomic_fetch_add_explicit(&bytes->refs, count, memory_order_relaxed);
}

void bytes_release(Bytes *bytes) {
    if (bytes != NULL) bytes_release_many(bytes, 1);
}

void bytes_release_many(Bytes *bytes, uint32_t count) {
    if (count == 0) return;
    if (atomic_fetch_sub_explicit(&bytes->refs, count, memory_order_acq_rel) == count) {
        mem_free(bytes);
    }
}
