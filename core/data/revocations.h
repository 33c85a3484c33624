/* SPDX-License-Identifier: Apache-2.0
 *
 * revocations: tokens that are good in themselves and count no more: single ones, known by user and jti,
 * and all of a user that were made before some second. They are records of the store in two spaces, whose
 * values are seconds since 1970; lua/identity/revocations.lua writes them. Each worker has a copy of all in memory,
 * so checking a token waits for nobody. One thread.
 */
#ifndef DATA_REVOCATIONS_H
#define DATA_REVOCATIONS_H

#include <stdint.h>

#include "base/map.h"
#include "data/store.h"

/* Of single tokens: the key is what revocations_key makes, the value when the token dies anyway, 0: never. */
#define REVOCATIONS_TOKENS STR("revoked")
/* Of users: the key is the user, the value from when on tokens must have been made (iat). */
#define REVOCATIONS_USERS STR("tokens-from")

typedef struct Revocations {
    Map tokens;
    Map users;
    size_t sweep_at; /* where in `tokens` the next sweep goes on */
} Revocations;

void revocations_init(Revocations *revocations);
void revocations_copy(Revocations *revocations, const Revocations *from); /* instead of init */
void revocations_deinit(Revocations *revocations);

/* Adds all that the store knows. A store that cannot be read gives its failure. */
WARN_UNUSED int revocations_load(Revocations *revocations, Store *store);

/* One record of one of the two spaces. False: it was known, or is none. */
bool revocations_add(Revocations *revocations, Str space, Str key, Str value);

/* Whether the user's token with these claims (a JSON object that was checked) is revoked. */
bool revocations_has(const Revocations *revocations, Str user, Str claims);

/* Looks at so many of the tokens, further on each time, and drops those that are dead. */
void revocations_sweep(Revocations *revocations, size_t count);

/* The user whom a record is about; borrows from its key. */
Str revocations_user(Str space, Str key);

/* Appends the key of the user's token with these claims; false when it has no jti to know it by. */
bool revocations_key(Str user, Str claims, Buf *key);

#endif
