/* SPDX-License-Identifier: Apache-2.0 */
#include "data/store.h"

int store_open(Str url, Store **store) {
    if (!str_equal(url, STR("memory"))) return ERR_INVALID;
    *store = store_memory_new();
    return 0;
}

int store_load(Store *store, StoreOnSubscription on_subscription, void *context) {
    return store->class->load(store, on_subscription, context);
}

int store_begin(Store *store) {
    return store->class->begin(store);
}

int store_add(Store *store, Str user, Str channel) {
    return store->class->add(store, user, channel);
}

int store_remove(Store *store, Str user, Str channel) {
    return store->class->remove(store, user, channel);
}

int store_commit(Store *store) {
    return store->class->commit(store);
}

void store_rollback(Store *store) {
    store->class->rollback(store);
}

void store_close(Store *store) {
    store->class->close(store);
}
