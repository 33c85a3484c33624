/* SPDX-License-Identifier: Apache-2.0
 *
 * The store that has no place to keep anything: a process that ends takes all along. The roster holds
 * the subscriptions in memory anyway, so for them every change is at once as committed as it can be.
 * Records, and what is told of subscriptions, live here, in a map by space and key. A transaction cannot
 * fail, so there is no rollback.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/map.h"
#include "base/mem.h"
#include "data/store.h"

enum { SWEEP_COUNT_MIN = 1024 };

typedef struct Entry {
    int64_t expires_ms;
    uint32_t space_len, name_len, value_len;
    char data[]; /* the name, which is space, a NUL and key, and behind it the value */
} Entry;

typedef struct MemoryStore {
    Store store; /* first: a Store is where the MemoryStore begins */
    Map entries;
    size_t sweep_count; /* as many entries call for a sweep */
} MemoryStore;

static Map *entries_of(Store *store) {
    return &((MemoryStore *)(void *)store)->entries;
}

static Str name_of(const void *value) {
    const Entry *entry = value;
    return str_make(entry->data, entry->name_len);
}

static Str space_of(const Entry *entry) {
    return str_make(entry->data, entry->space_len);
}

static Str key_of(const Entry *entry) {
    return str_make(entry->data + entry->space_len + 1, entry->name_len - entry->space_len - 1);
}

static Str value_of(const Entry *entry) {
    return str_make(entry->data + entry->name_len, entry->value_len);
}

static bool is_live(const Entry *entry, int64_t now_ms) {
    return entry->expires_ms == 0 || entry->expires_ms > now_ms;
}

static void add_name(Buf *name, Str space, Str key) {
    buf_add(name, space);
    buf_add_char(name, '\0');
    buf_add(name, key);
}

static int load(Store *store, StoreOnSubscription on_subscription, void *context) {
    (void)store, (void)on_subscription, (void)context;
    return 0;
}

static int succeed(Store *store) {
    (void)store;
    return 0;
}

static int erase(Store *store, Str space, Str key) {
    Buf name = BUF_NONE;
    add_name(&name, space, key);
    mem_free(map_remove(entries_of(store), buf_str(&name)));
    buf_deinit(&name);
    return 0;
}

/* Drops the entries that have ended, each time their number has doubled. */
static void sweep(MemoryStore *self) {
    int64_t now_ms = clock_wall_ms();
    Map *entries = &self->entries;
    Entry **ended = mem_alloc(entries->count * sizeof *ended);
    size_t count = 0;
    size_t at = 0;
    for (Entry *entry = map_next(entries, &at); entry != NULL; entry = map_next(entries, &at)) {
        if (!is_live(entry, now_ms)) ended[count++] = entry;
    }
    for (size_t i = 0; i < count; i++) {
        map_remove(entries, name_of(ended[i]));
        mem_free(ended[i]);
    }
    mem_free(ended);
    self->sweep_count = entries->count * 2 + SWEEP_COUNT_MIN;
}

static int put(Store *store, const StoreRecord *record) {
    MemoryStore *self = (MemoryStore *)(void *)store;
    if (self->entries.count >= self->sweep_count) sweep(self);
    int err = erase(store, record->space, record->key);
    size_t name_len = record->space.len + 1 + record->key.len;
    ensure(name_len <= UINT32_MAX && record->value.len <= UINT32_MAX);
    Entry *entry = mem_alloc(offsetof(Entry, data) + name_len + record->value.len);
    Buf name = BUF_NONE;
    add_name(&name, record->space, record->key);
    memcpy(entry->data, name.data, name_len);
    buf_deinit(&name);
    if (record->value.len > 0) memcpy(entry->data + name_len, record->value.data, record->value.len);
    entry->name_len = (uint32_t)name_len;
    entry->value_len = (uint32_t)record->value.len;
    entry->space_len = (uint32_t)record->space.len;
    entry->expires_ms = record->expires_ms;
    map_add(entries_of(store), entry);
    return err;
}

static int get(Store *store, Str space, Str key, int64_t now_ms, Buf *value) {
    Buf name = BUF_NONE;
    add_name(&name, space, key);
    const Entry *entry = map_find(entries_of(store), buf_str(&name));
    buf_deinit(&name);
    if (entry == NULL || !is_live(entry, now_ms)) return ERR_NOT_FOUND;
    buf_add(value, value_of(entry));
    return 0;
}

/* What is told of subscriptions lies among the records: in the space without a name, which no record has. */
static void add_pair(Buf *pair, Str user, Str channel) {
    buf_add(pair, user);
    buf_add_char(pair, '\0');
    buf_add(pair, channel);
}

static int add(Store *store, Str user, Str channel, Str by, uint64_t mark) {
    (void)mark; /* nobody loads it */
    Buf pair = BUF_NONE;
    Buf value = BUF_NONE;
    int64_t since_ms = clock_wall_ms();
    add_pair(&pair, user, channel);
    buf_add(&value, str_make((const char *)&since_ms, sizeof since_ms));
    buf_add(&value, by);
    StoreRecord record = {.key = buf_str(&pair), .value = buf_str(&value)};
    int err = put(store, &record);
    buf_deinit(&pair);
    buf_deinit(&value);
    return err;
}

static int remove_one(Store *store, Str user, Str channel) {
    Buf pair = BUF_NONE;
    add_pair(&pair, user, channel);
    int err = erase(store, STR_NONE, buf_str(&pair));
    buf_deinit(&pair);
    return err;
}

static int find_origin(Store *store, Str user, Str channel, StoreOrigin *origin) {
    Buf pair = BUF_NONE;
    Buf value = BUF_NONE;
    add_pair(&pair, user, channel);
    int err = get(store, STR_NONE, buf_str(&pair), 0, &value);
    if (err == 0) {
        memcpy(&origin->since_ms, value.data, sizeof origin->since_ms);
        buf_add(&origin->by,
                str_make(value.data + sizeof origin->since_ms, value.len - sizeof origin->since_ms));
    }
    buf_deinit(&pair);
    buf_deinit(&value);
    return err;
}

static bool is_in_range(const Entry *entry, const StoreRange *range, int64_t now_ms) {
    Str key = key_of(entry);
    return str_equal(space_of(entry), range->space) && str_has_prefix(key, range->prefix) &&
           str_compare(key, range->after) > 0 && is_live(entry, now_ms);
}

static int compare(const void *a, const void *b) {
    return str_compare(name_of(*(Entry *const *)a), name_of(*(Entry *const *)b));
}

static int each(Store *store, const StoreRange *range, int64_t now_ms, StoreOnRecord on_record,
                void *context) {
    Map *entries = entries_of(store);
    Entry **found = mem_alloc(entries->count * sizeof *found);
    size_t count = 0;
    size_t at = 0;
    for (Entry *entry = map_next(entries, &at); entry != NULL; entry = map_next(entries, &at)) {
        if (is_in_range(entry, range, now_ms)) found[count++] = entry;
    }
    if (count > 1) qsort(found, count, sizeof *found, compare);
    for (size_t i = 0; i < count; i++) {
        StoreRecord record = {range->space, key_of(found[i]), value_of(found[i]), found[i]->expires_ms};
        if (!on_record(context, &record)) break;
    }
    mem_free(found);
    return 0;
}

static void rollback(Store *store) {
    (void)store;
}

static void close_store(Store *store) {
    Map *entries = entries_of(store);
    size_t at = 0;
    for (void *entry = map_next(entries, &at); entry != NULL; entry = map_next(entries, &at)) {
        mem_free(entry);
    }
    map_deinit(entries);
    mem_free(store);
}

static const StoreClass memory_class = {
    .load = load,
    .begin = succeed,
    .add = add,
    .remove = remove_one,
    .forget_marks = succeed,
    .find_origin = find_origin,
    .put = put,
    .erase = erase,
    .get = get,
    .each = each,
    .commit = succeed,
    .rollback = rollback,
    .close = close_store,
};

Store *store_memory_new(void) {
    MemoryStore *self = mem_alloc(sizeof *self);
    self->store.class = &memory_class;
    map_init(&self->entries, name_of);
    self->sweep_count = SWEEP_COUNT_MIN;
    return &self->store;
}
