/* SPDX-License-Identifier: Apache-2.0
 *
 * keyring: the key that tokens are checked and made with now, and the one before it while it is still
 * good. Each worker has one of its own, so that a change takes no lock. One thread.
 */
#ifndef DATA_KEYRING_H
#define DATA_KEYRING_H

#include "data/token.h"

typedef struct Keyring {
    TokenPolicy *current;      /* NULL: no key is configured */
    TokenPolicy *previous;     /* NULL: none, or its time is over */
    int64_t previous_until_ms; /* wall clock */
    uint32_t generation;       /* of the current key; grows with each change */
} Keyring;

void keyring_init(Keyring *ring, const TokenPolicy *policy); /* copies; NULL is fine */
void keyring_copy(Keyring *ring, const Keyring *from);
void keyring_deinit(Keyring *ring);

/* The secret becomes the current key; the one it replaces stays good until `until_ms` (0: not at all).
 * ERR_INVALID: there is no key with a shared secret to replace, or the secret is empty. */
WARN_UNUSED int keyring_change(Keyring *ring, Str secret, int64_t until_ms);

/* token_verify with the current key, then with the previous one. *generation tells which it was. */
WARN_UNUSED int keyring_verify(Keyring *ring, Str text, int64_t now_ms, Token *token,
                               uint32_t *generation, const char **reason);

#endif
