/* SPDX-License-Identifier: Apache-2.0
 *
 * store: what outlives a session, and with a durable store the process: standing subscriptions. The
 * roster is its only user and thread. Changes are made between store_begin and store_commit: many at
 * once share one commit, and what was not committed never happened. One interface, one file per kind.
 */
#ifndef DATA_STORE_H
#define DATA_STORE_H

#include "base/err.h"
#include "base/str.h"

typedef struct Store Store;

/* Called once per subscription by store_load. */
typedef void (*StoreOnSubscription)(void *context, Str user, Str channel);

typedef struct StoreClass {
    int (*load)(Store *store, StoreOnSubscription on_subscription, void *context);
    int (*begin)(Store *store);
    int (*add)(Store *store, Str user, Str channel);
    int (*remove)(Store *store, Str user, Str channel);
    int (*commit)(Store *store);
    void (*rollback)(Store *store);
    void (*close)(Store *store); /* takes */
} StoreClass;

/* Every kind of store begins with this. */
struct Store {
    const StoreClass *class;
};

/* Opens the store that `url` names: "memory" or "sqlite:PATH". ERR_INVALID: no such kind. What else
 * fails is logged in one line. Gives. */
WARN_UNUSED int store_open(Str url, Store **store);

/* Calls the class; all but close answer 0 or ERR_IO, ERR_UNAVAILABLE. */
WARN_UNUSED int store_load(Store *store, StoreOnSubscription on_subscription, void *context);
WARN_UNUSED int store_begin(Store *store);
WARN_UNUSED int store_add(Store *store, Str user, Str channel);
WARN_UNUSED int store_remove(Store *store, Str user, Str channel);
WARN_UNUSED int store_commit(Store *store);
void store_rollback(Store *store);
void store_close(Store *store);

/* The kinds. */
/* One SQLite file. ERR_EXISTS: another server uses it; ERR_DENIED, ERR_IO: it cannot be used. Gives. */
WARN_UNUSED int store_sqlite_open(const char *path, Store **store);

/* Keeps nothing beyond the process: the roster's own memory is the truth. */
Store *store_memory_new(void);

#endif
