/* SPDX-License-Identifier: Apache-2.0 */
#include "data/digest.h"

#include <openssl/evp.h>
#include <sodium.h>

#include "base/base64.h"
#include "base/ensure.h"

enum { SHA1_LEN = 20 };

void digest_sha1_base64(Str text, Buf *out) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_len = 0;
    ensure(EVP_Digest(text.data, text.len, hash, &hash_len, EVP_sha1(), NULL) == 1);
    ensure(hash_len == SHA1_LEN);
    base64_add(BASE64_PADDED, str_make((const char *)hash, hash_len), out);
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
