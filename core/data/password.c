/* SPDX-License-Identifier: Apache-2.0 */
#include "data/password.h"

#include <crypt.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "data/secret.h"

_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "the hash must fit");
_Static_assert(PASSWORD_MAX <= crypto_pwhash_PASSWD_MAX, "the password must be allowed");

enum {
    BCRYPT_LEN = 60,
    BCRYPT_TEXT_MAX = 72, /* bytes that bcrypt looks at */
    BCRYPT_COST_MAX = 16, /* some seconds */
    ARGON2_MEMORY_KIB_MAX = 1024 * 1024,
    ARGON2_PASSES_MAX = 16
};

/* A hash as the libraries want it. */
typedef struct Hash {
    char text[PASSWORD_HASH_SIZE];
} Hash;

static bool is_text(Str hash) {
    return hash.len > 0 && hash.len < PASSWORD_HASH_SIZE && memchr(hash.data, '\0', hash.len) == NULL;
}

static Hash to_hash(Str text) {
    Hash hash = {{0}};
    memcpy(hash.text, text.data, text.len);
    return hash;
}

int password_hash(Str text, char hash[PASSWORD_HASH_SIZE]) {
    if (text.len > PASSWORD_MAX) return ERR_INVALID;
    int failed =
        crypto_pwhash_str(hash, text.len > 0 ? text.data : "", text.len,
                          crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE);
    return failed ? ERR_UNAVAILABLE : 0;
}

static int compare_strength(const Hash *hash) {
    return crypto_pwhash_str_needs_rehash(hash->text, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                          crypto_pwhash_MEMLIMIT_INTERACTIVE);
}

/* Whether it is one that may be worked on, and the memory that it takes. */
static bool is_argon2(const Hash *hash, size_t *memory_bytes) {
    unsigned long memory_kib;
    unsigned long passes;
    int found = sscanf(hash->text, "$argon2id$v=%*u$m=%lu,t=%lu,", &memory_kib, &passes);
    if (found != 2 || memory_kib > ARGON2_MEMORY_KIB_MAX || passes > ARGON2_PASSES_MAX) return false;
    *memory_bytes = memory_kib * 1024;
    return compare_strength(hash) >= 0;
}

static bool has_memory(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    munmap(memory, bytes);
    return true;
}

/* libsodium says no in the same words for a wrong password and for want of memory; nobody shall be told that
 * a right password is wrong, so after a no the memory is asked for once more. */
static int verify_argon2(Str text, const Hash *hash, size_t memory_bytes, bool *matches) {
    int failed = crypto_pwhash_str_verify(hash->text, text.len > 0 ? text.data : "", text.len);
    if (failed && !has_memory(memory_bytes)) return ERR_UNAVAILABLE;
    *matches = !failed;
    return 0;
}

/* "$2b$12$" and 53 characters. */
static bool is_bcrypt(Str hash) {
    if (hash.len != BCRYPT_LEN || memcmp(hash.data, "$2", 2) != 0) return false;
    if (memchr("aby", hash.data[2], 3) == NULL || hash.data[3] != '$' || hash.data[6] != '$')
        return false;
    int cost = (hash.data[4] - '0') * 10 + (hash.data[5] - '0');
    return cost <= BCRYPT_COST_MAX;
}

/* A text with a NUL matches nothing: bcrypt would see what stands before it only. */
static int verify_bcrypt(Str text, const Hash *hash, bool *matches) {
    char phrase[BCRYPT_TEXT_MAX + 1] = {0};
    bool has_nul = text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
    if (text.len > 0)
        memcpy(phrase, text.data, text.len < BCRYPT_TEXT_MAX ? text.len : BCRYPT_TEXT_MAX);
    struct crypt_data *data = mem_zalloc(sizeof *data);
    const char *found = crypt_rn(phrase, hash->text, data, sizeof *data);
    if (found != NULL) *matches = sodium_memcmp(found, hash->text, BCRYPT_LEN) == 0 && !has_nul;
    secret_wipe(phrase, sizeof phrase);
    secret_wipe(data, sizeof *data);
    mem_free(data);
    return found != NULL ? 0 : ERR_INVALID;
}

int password_verify(Str text, Str hash, bool *matches) {
    if (text.len > PASSWORD_MAX || !is_text(hash)) return ERR_INVALID;
    Hash copy = to_hash(hash);
    size_t memory_bytes;
    if (is_bcrypt(hash)) return verify_bcrypt(text, &copy, matches);
    if (!is_argon2(&copy, &memory_bytes)) return ERR_INVALID;
    return verify_argon2(text, &copy, memory_bytes, matches);
}

bool password_is_outdated(Str hash) {
    if (!is_text(hash)) return true;
    Hash copy = to_hash(hash);
    size_t memory_bytes;
    return !is_argon2(&copy, &memory_bytes) || compare_strength(&copy) != 0;
}
