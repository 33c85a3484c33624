/* SPDX-License-Identifier: Apache-2.0 */
#include "data/secret.h"

#include <sodium.h>

#include "base/mem.h"

/* Made anew by each process, so equal digests tell an attacker nothing. */
static unsigned char compare_key[crypto_generichash_KEYBYTES];

int secret_setup(void) {
    if (sodium_init() < 0) return ERR_UNAVAILABLE;
    randombytes_buf(compare_key, sizeof compare_key);
    return 0;
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

/* Both are hashed first: equal digests of a keyed hash are compared, so neither the content nor the
 * length of the known one shows in the time. */
bool secret_equal(Str given, Str known) {
    unsigned char a[crypto_generichash_BYTES];
    unsigned char b[crypto_generichash_BYTES];
    crypto_generichash(a, sizeof a, (const unsigned char *)given.data, given.len, compare_key,
                       sizeof compare_key);
    crypto_generichash(b, sizeof b, (const unsigned char *)known.data, known.len, compare_key,
                       sizeof compare_key);
    return sodium_memcmp(a, b, sizeof a) == 0 && given.len == known.len;
}

int secret_decode_base64url(Str text, Buf *out) {
    size_t len = 0;
    buf_reserve(out, text.len + 1);
    int failed =
        sodium_base642bin((unsigned char *)out->data + out->len, text.len + 1, text.data, text.len,
                          NULL, &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    if (failed) return ERR_INVALID;
    out->len += len;
    return 0;
}

void secret_wipe(void *memory, size_t len) {
    sodium_memzero(memory, len);
}

void secret_hash(Str text, Buf *out) {
    unsigned char digest[crypto_generichash_BYTES];
    crypto_generichash(digest, sizeof digest, (const unsigned char *)text.data, text.len, NULL, 0);
    char hex[2 * sizeof digest + 1];
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    buf_add(out, str_of(hex));
}
