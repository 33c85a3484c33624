/* SPDX-License-Identifier: Apache-2.0
 *
 * The store that has no place to keep anything: a process that ends takes its subscriptions along. The
 * roster holds them all in memory anyway, so here every change is at once as committed as it can be.
 */
#include "base/mem.h"
#include "data/store.h"

static int load(Store *store, StoreOnSubscription on_subscription, void *context) {
    (void)store, (void)on_subscription, (void)context;
    return 0;
}

static int begin(Store *store) {
    (void)store;
    return 0;
}

static int change(Store *store, Str user, Str channel) {
    (void)store, (void)user, (void)channel;
    return 0;
}

static void rollback(Store *store) {
    (void)store;
}

static void close_store(Store *store) {
    mem_free(store);
}

static const StoreClass memory_class = {
    .load = load,
    .begin = begin,
    .add = change,
    .remove = change,
    .commit = begin,
    .rollback = rollback,
    .close = close_store,
};

Store *store_memory_new(void) {
    Store *store = mem_alloc(sizeof *store);
    store->class = &memory_class;
    return store;
}
