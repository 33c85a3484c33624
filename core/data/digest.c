/* SPDX-License-Identifier: Apache-2.0 */
#include "data/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/base64.h"
#include "base/ensure.h"

enum { SHA1_LEN = 20 };

static const EVP_MD
    *sha1; /* looked up once: that takes as long as the digest of a handshake; set before threads run */

int digest_setup(void) {
    if (sha1 == NULL) sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    return sha1 != NULL ? 0 : ERR_UNAVAILABLE;
}

void digest_sha1_base64(Str text, Buf *out) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_len = 0;
    ensure(EVP_Digest(text.data, text.len, hash, &hash_len, sha1, NULL) == 1);
    ensure(hash_len == SHA1_LEN);
    base64_add(BASE64_PADDED, str_make((const char *)hash, hash_len), out);
}

/* It is an EVP_MAC_CTX, of which nobody else knows. */
static EVP_MAC_CTX *context_of(DigestMac *mac) {
    return (EVP_MAC_CTX *)mac;
}

DigestMac *digest_mac_new(unsigned bits, Str key) {
    char name[] = "SHA256";
    if (bits != 256 && bits != 384 && bits != 512) return NULL;
    snprintf(name, sizeof name, "SHA%u", bits);
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    const char *bytes = key.len > 0 ? key.data : ""; /* NULL would stand for the key of before */
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(hmac);
    ensure(EVP_MAC_init(context, (const unsigned char *)bytes, key.len, params) == 1);
    EVP_MAC_free(hmac); /* the context holds it */
    return (DigestMac *)context;
}

void digest_mac_free(DigestMac *mac) {
    EVP_MAC_CTX_free(context_of(mac));
}

size_t digest_mac_make(DigestMac *mac, Str text, char out[DIGEST_MAC_MAX]) {
    EVP_MAC_CTX *context = context_of(mac);
    size_t len = 0;
    ensure(EVP_MAC_init(context, NULL, 0, NULL) == 1); /* the same key anew */
    ensure(EVP_MAC_update(context, (const unsigned char *)text.data, text.len) == 1);
    ensure(EVP_MAC_final(context, (unsigned char *)out, &len, DIGEST_MAC_MAX) == 1);
    return len;
}

void digest_hmac_sha256(Str key, Str text, Buf *out) {
    static const char digits[] = "0123456789abcdef";
    char code[DIGEST_MAC_MAX];
    DigestMac *mac = digest_mac_new(256, key);
    size_t len = digest_mac_make(mac, text, code);
    digest_mac_free(mac);
    for (size_t i = 0; i < len; i++) {
        buf_add_char(out, digits[(unsigned char)code[i] >> 4]);
        buf_add_char(out, digits[code[i] & 0xF]);
    }
}
