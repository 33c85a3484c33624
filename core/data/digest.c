/* SPDX-License-Identifier: Apache-2.0 */
#include "data/digest.h"

#include <openssl/evp.h>
#include <sodium.h>

#include "base/ensure.h"

enum { SHA1_LEN = 20 };

void digest_sha1_base64(Str text, Buf *out) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_len = 0;
    ensure(EVP_Digest(text.data, text.len, hash, &hash_len, EVP_sha1(), NULL) == 1);
    ensure(hash_len == SHA1_LEN);
    digest_base64_encode(str_make((const char *)hash, hash_len), out);
}

void digest_base64_encode(Str bytes, Buf *out) {
    size_t size = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_ORIGINAL);
    buf_reserve(out, size);
    sodium_bin2base64(out->data + out->len, size, (const unsigned char *)bytes.data, bytes.len,
                      sodium_base64_VARIANT_ORIGINAL);
    out->len += size - 1; /* without the NUL */
}

int digest_base64_decode(Str text, Buf *out) {
    size_t size = text.len / 4 * 3;
    size_t len = 0;
    const char *end = NULL;
    if (text.len == 0) return 0;
    buf_reserve(out, size + 1);
    int failed = sodium_base642bin((unsigned char *)out->data + out->len, size + 1, text.data, text.len,
                                   NULL, &len, &end, sodium_base64_VARIANT_ORIGINAL);
    if (failed || end != text.data + text.len) return ERR_INVALID;
    out->len += len;
    return 0;
}

void digest_hmac_sha256(Str key, Str text, Buf *out) {
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.data, key.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.data, text.len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
    buf_reserve(out, 2 * sizeof mac + 1);
    sodium_bin2hex(out->data + out->len, 2 * sizeof mac + 1, mac, sizeof mac);
    out->len += 2 * sizeof mac;
}
