/* SPDX-License-Identifier: Apache-2.0
 *
 * password: hashes of passwords, by Argon2id in its text form ("$argon2id$v=19$m=..."), and checking a
 * password against such a hash, or against one of bcrypt. Slow on purpose (tens of milliseconds, 64 MiB):
 * not for a loop. No copy of a password is left behind. Any thread, after secret_setup.
 */
#ifndef DATA_PASSWORD_H
#define DATA_PASSWORD_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum { PASSWORD_MAX = 1024 /* bytes */, PASSWORD_HASH_SIZE = 128 /* with the NUL */ };

/* ERR_INVALID: longer than PASSWORD_MAX. ERR_UNAVAILABLE: no memory. */
WARN_UNUSED int password_hash(Str text, char hash[PASSWORD_HASH_SIZE]);

/* ERR_INVALID: text longer than PASSWORD_MAX, a hash of another kind or damaged, or one that asks for
 * far more work than those that are made anywhere. ERR_UNAVAILABLE: no memory. */
WARN_UNUSED int password_verify(Str text, Str hash, bool *matches);

/* Whether password_hash would make a hash of other strength or kind; true for what is no hash. Fast. */
bool password_is_outdated(Str hash);

#endif
