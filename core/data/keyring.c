/* SPDX-License-Identifier: Apache-2.0 */
#include "data/keyring.h"

#include "base/mem.h"

void keyring_init(Keyring *ring, const TokenPolicy *policy) {
    *ring = (Keyring){.current = policy ? token_policy_copy(policy) : NULL, .generation = 1};
}

void keyring_copy(Keyring *ring, const Keyring *from) {
    *ring = *from;
    if (from->current != NULL) ring->current = token_policy_copy(from->current);
    if (from->previous != NULL) ring->previous = token_policy_copy(from->previous);
}

void keyring_deinit(Keyring *ring) {
    token_policy_free(ring->current);
    token_policy_free(ring->previous);
    *ring = (Keyring){.current = NULL};
}

static void drop_previous(Keyring *ring) {
    token_policy_free(ring->previous);
    ring->previous = NULL;
}

int keyring_change(Keyring *ring, Str secret, int64_t until_ms) {
    TokenPolicy *next;
    if (ring->current == NULL) return ERR_INVALID;
    int err = token_policy_renew(ring->current, secret, &next);
    if (err != 0) return err;
    drop_previous(ring);
    if (until_ms > 0) {
        ring->previous = ring->current;
        ring->previous_until_ms = until_ms;
    } else {
        token_policy_free(ring->current);
    }
    ring->current = next;
    ring->generation++;
    return 0;
}

int keyring_verify(Keyring *ring, Str text, int64_t now_ms, Token *token, uint32_t *generation,
                   const char **reason) {
    if (ring->previous != NULL && now_ms >= ring->previous_until_ms) drop_previous(ring);
    *generation = ring->generation;
    int err = token_verify(ring->current, text, now_ms / 1000, token, reason);
    if (err != ERR_INVALID || ring->previous == NULL) return err;
    *generation = ring->generation - 1;
    err = token_verify(ring->previous, text, now_ms / 1000, token, reason);
    if (err != 0) return err;
    /* It dies with its key. */
    int64_t until_s = ring->previous_until_ms / 1000;
    if (token->expires_s == 0 || token->expires_s > until_s) token->expires_s = until_s;
    return 0;
}
