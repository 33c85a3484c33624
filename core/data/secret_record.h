/* SPDX-License-Identifier: Apache-2.0
 *
 * secret_record: the secret of tokens that PUT /auth/update-jwt-secret left in the store, and the one
 * before it. It counts as long as JWT_SECRET is the one it replaced: whoever changes JWT_SECRET means it.
 * lua/auth/update_jwt_secret.lua writes it. Main thread, before the roster has the store.
 */
#ifndef DATA_SECRET_RECORD_H
#define DATA_SECRET_RECORD_H

#include "data/keyring.h"
#include "data/store.h"

/* Puts the record's secrets into the ring. A store that cannot be read gives its failure. */
WARN_UNUSED int secret_record_load(Store *store, Str configured, Keyring *ring);

#endif
