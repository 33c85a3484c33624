/* SPDX-License-Identifier: Apache-2.0 */
#include "data/secret.h"

#include <sodium.h>

#include "base/mem.h"

int secret_setup(void) {
    return sodium_init() < 0 ? ERR_UNAVAILABLE : 0;
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

/* -1: not of the alphabet (RFC 4648 5). */
static int base64url_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Not by libsodium, which takes ten times as long to hide what it reads: tokens are no secret to who sent
 * them. Bits left over must be 0, so that a text has one form only. */
int secret_decode_base64url(Str text, Buf *out) {
    if (text.len % 4 == 1) return ERR_INVALID;
    buf_reserve(out, text.len);
    char *at = out->data + out->len;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64url_value(text.data[i]);
        if (value < 0) return ERR_INVALID;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        *at++ = (char)(bits >> count & 0xFF);
    }
    if ((bits & ((1U << count) - 1)) != 0) return ERR_INVALID;
    out->len = (size_t)(at - out->data);
    return 0;
}

struct SecretMac {
    unsigned bits;
    union {
        crypto_auth_hmacsha256_state sha256;
        crypto_auth_hmacsha512_state sha512;
    } start;
};

SecretMac *secret_mac_new(unsigned bits, Str key) {
    if (bits != 256 && bits != 512) return NULL;
    SecretMac *mac = mem_zalloc(sizeof *mac);
    mac->bits = bits;
    const unsigned char *bytes = (const unsigned char *)key.data;
    if (bits == 256) crypto_auth_hmacsha256_init(&mac->start.sha256, bytes, key.len);
    if (bits == 512) crypto_auth_hmacsha512_init(&mac->start.sha512, bytes, key.len);
    return mac;
}

void secret_mac_free(SecretMac *mac) {
    if (mac == NULL) return;
    sodium_memzero(mac, sizeof *mac);
    mem_free(mac);
}

bool secret_mac_fits(const SecretMac *mac, Str text, Str code) {
    unsigned char wanted[crypto_auth_hmacsha512_BYTES];
    const unsigned char *bytes = (const unsigned char *)text.data;
    SecretMac run = *mac;
    if (mac->bits == 256) {
        crypto_auth_hmacsha256_update(&run.start.sha256, bytes, text.len);
        crypto_auth_hmacsha256_final(&run.start.sha256, wanted);
    } else {
        crypto_auth_hmacsha512_update(&run.start.sha512, bytes, text.len);
        crypto_auth_hmacsha512_final(&run.start.sha512, wanted);
    }
    return code.len == mac->bits / 8 && sodium_memcmp(wanted, code.data, code.len) == 0;
}

void secret_wipe(void *memory, size_t len) {
    sodium_memzero(memory, len);
}

void secret_hash_short(Str text, Buf *out) {
    unsigned char digest[crypto_generichash_BYTES_MIN];
    char short_text[sodium_base64_ENCODED_LEN(sizeof digest, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    crypto_generichash(digest, sizeof digest, (const unsigned char *)text.data, text.len, NULL, 0);
    sodium_bin2base64(short_text, sizeof short_text, digest, sizeof digest,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_add(out, str_of(short_text));
}

void secret_hash(Str text, Buf *out) {
    unsigned char digest[crypto_generichash_BYTES];
    crypto_generichash(digest, sizeof digest, (const unsigned char *)text.data, text.len, NULL, 0);
    char hex[2 * sizeof digest + 1];
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    buf_add(out, str_of(hex));
}
