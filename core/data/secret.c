/* SPDX-License-Identifier: Apache-2.0 */
#include "data/secret.h"

#include <assert.h>
#include <sodium.h>

#include "base/base64.h"
#include "base/ensure.h"
#include "base/mem.h"

int secret_setup(void) {
    return sodium_init() < 0 ? ERR_UNAVAILABLE : 0;
}

/* Of each thread, so that the system is not asked for every few bytes. What was given out is wiped. */
static _Thread_local struct {
    unsigned char bytes[512];
    size_t left;
} random_pool;

void secret_random(void *out, size_t len) {
    ensure(len <= sizeof random_pool.bytes);
    if (random_pool.left < len) {
        randombytes_buf(random_pool.bytes, sizeof random_pool.bytes);
        random_pool.left = sizeof random_pool.bytes;
    }
    random_pool.left -= len;
    unsigned char *from = random_pool.bytes + random_pool.left;
    memcpy(out, from, len);
    sodium_memzero(from, len);
}

uint64_t secret_random_number(void) {
    uint64_t number;
    randombytes_buf(&number, sizeof number);
    return number;
}

void secret_random_text(size_t bytes, Buf *out) {
    size_t room = sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    unsigned char *raw = mem_alloc(bytes);
    randombytes_buf(raw, bytes);
    buf_reserve(out, room);
    sodium_bin2base64(out->data + out->len, room, raw, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out->len += room - 1; /* without the NUL */
    sodium_memzero(raw, bytes);
    mem_free(raw);
}

/* One of another length is compared with itself, so that its time says nothing about the known one. */
bool secret_equal(Str given, Str known) {
    bool is_as_long = given.len == known.len;
    const char *other = is_as_long ? known.data : given.data;
    bool is_same = given.len == 0 || sodium_memcmp(given.data, other, given.len) == 0;
    return is_same && is_as_long;
}

void secret_wipe(void *memory, size_t len) {
    sodium_memzero(memory, len);
}

void secret_hash_short(Str text, char out[SECRET_HASH_SHORT_LEN]) {
    unsigned char digest[crypto_generichash_BYTES_MIN];
    crypto_generichash(digest, sizeof digest, (const unsigned char *)text.data, text.len, NULL, 0);
    static_assert(BASE64_URL_LEN(sizeof digest) == SECRET_HASH_SHORT_LEN, "what the header says");
    base64_encode(BASE64_URL, str_make((const char *)digest, sizeof digest), out);
}

void secret_hash(Str text, Buf *out) {
    unsigned char digest[crypto_generichash_BYTES];
    crypto_generichash(digest, sizeof digest, (const unsigned char *)text.data, text.len, NULL, 0);
    char hex[2 * sizeof digest + 1];
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    buf_add(out, str_of(hex));
}
