/* SPDX-License-Identifier: Apache-2.0 */
#include "data/store.h"

#include "base/mem.h"

int store_open(Str url, bool is_server, Store **store) {
    Str kind;
    Str path;
    str_split(url, ':', &kind, &path);
    if (str_equal(url, STR("memory"))) {
        *store = store_memory_new();
        return 0;
    }
    if (!str_equal(kind, STR("sqlite")) || path.len == 0) return ERR_INVALID;
    char *name = mem_copy(path.data, path.len);
    int err = store_sqlite_open(name, is_server, store);
    mem_free(name);
    return err;
}

int store_load(Store *store, StoreOnSubscription on_subscription, void *context) {
    return store->class->load(store, on_subscription, context);
}

int store_begin(Store *store) {
    return store->class->begin(store);
}

int store_add(Store *store, Str user, Str channel, Str by, uint64_t mark) {
    return store->class->add(store, user, channel, by, mark);
}

int store_remove(Store *store, Str user, Str channel) {
    return store->class->remove(store, user, channel);
}

int store_forget_marks(Store *store) {
    return store->class->forget_marks(store);
}

int store_find_origin(Store *store, Str user, Str channel, StoreOrigin *origin) {
    return store->class->find_origin(store, user, channel, origin);
}

int store_put(Store *store, const StoreRecord *record) {
    return store->class->put(store, record);
}

int store_erase(Store *store, Str space, Str key) {
    return store->class->erase(store, space, key);
}

int store_get(Store *store, Str space, Str key, int64_t now_ms, Buf *value) {
    return store->class->get(store, space, key, now_ms, value);
}

int store_each(Store *store, const StoreRange *range, int64_t now_ms, StoreOnRecord on_record,
               void *context) {
    return store->class->each(store, range, now_ms, on_record, context);
}

int store_commit(Store *store) {
    return store->class->commit(store);
}

void store_rollback(Store *store) {
    store->class->rollback(store);
}

bool store_can_be_changed(const Store *store) {
    return store->class->was_changed != NULL;
}

bool store_was_changed(Store *store) {
    return store->class->was_changed(store);
}

void store_trim(Store *store) {
    if (store->class->trim != NULL) store->class->trim(store);
}

void store_close(Store *store) {
    store->class->close(store);
}
