/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries that expire lie in a binary heap, the next one first. Every write drops a few that are due, and
 * as many as it needs room; until then they are as good as gone, since nobody finds them.
 */
#include "data/shared.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ensure.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { PURGE_MAX = 16, NUMBER_LEN_MAX = 20, HEAP_MIN = 64, RESERVE_PART = 8 };

typedef struct Entry {
    uint64_t expires_ms; /* 0: never */
    uint32_t place;      /* in the heap; 0: not in it */
    uint32_t key_len;
    uint32_t value_len;
    char data[]; /* key, value, NUL */
} Entry;

struct Shared {
    pthread_mutex_t lock; /* guards what follows; held for one step, nothing else is locked meanwhile */
    Map entries;
    Entry **heap; /* from 1 to heap_count: heap[i] expires no later than heap[2i] and heap[2i + 1] */
    uint32_t heap_count;
    uint32_t heap_size;
    uint64_t bytes;
    SharedLimits limits; /* never changes */
};

static Str key_of(const void *value) {
    const Entry *entry = value;
    return str_make(entry->data, entry->key_len);
}

static Str value_of(const Entry *entry) {
    return str_make(entry->data + entry->key_len, entry->value_len);
}

/* With its slots in map and heap. */
static uint64_t size_of(size_t key_len, size_t value_len) {
    return sizeof(Entry) + key_len + value_len + 1 + sizeof(MapSlot) + sizeof(Entry *);
}

static void place(Shared *shared, Entry *entry, uint32_t at) {
    shared->heap[at] = entry;
    entry->place = at;
}

static void sift_up(Shared *shared, Entry *entry, uint32_t at) {
    for (; at > 1 && shared->heap[at / 2]->expires_ms > entry->expires_ms; at /= 2) {
        place(shared, shared->heap[at / 2], at);
    }
    place(shared, entry, at);
}

static void sift_down(Shared *shared, Entry *entry, uint32_t at) {
    for (uint32_t child = 2 * at; child <= shared->heap_count; child = 2 * at) {
        if (child < shared->heap_count &&
            shared->heap[child + 1]->expires_ms < shared->heap[child]->expires_ms) {
            child++;
        }
        if (shared->heap[child]->expires_ms >= entry->expires_ms) break;
        place(shared, shared->heap[child], at);
        at = child;
    }
    place(shared, entry, at);
}

static void add_to_heap(Shared *shared, Entry *entry) {
    if (shared->heap_count + 1 >= shared->heap_size) {
        shared->heap_size = shared->heap_size ? shared->heap_size * 2 : HEAP_MIN;
        shared->heap = mem_grow(shared->heap, shared->heap_size, sizeof(Entry *));
    }
    sift_up(shared, entry, ++shared->heap_count);
}

static void remove_from_heap(Shared *shared, Entry *entry) {
    uint32_t at = entry->place;
    Entry *last = shared->heap[shared->heap_count--];
    entry->place = 0;
    if (last == entry) return;
    if (at > 1 && shared->heap[at / 2]->expires_ms > last->expires_ms) {
        sift_up(shared, last, at);
    } else {
        sift_down(shared, last, at);
    }
}

static void remove_entry(Shared *shared, Entry *entry) {
    map_remove(&shared->entries, key_of(entry));
    if (entry->place != 0) remove_from_heap(shared, entry);
    uint64_t size = size_of(entry->key_len, entry->value_len);
    shared->bytes -= size;
    metrics_add(METRIC_shared_entries, -1);
    metrics_add(METRIC_shared_bytes, -(int64_t)size);
    mem_free(entry);
}

static void add_entry(Shared *shared, Str key, Str value, uint64_t expires_ms) {
    Entry *entry = mem_alloc(sizeof *entry + key.len + value.len + 1);
    *entry = (Entry){expires_ms, 0, (uint32_t)key.len, (uint32_t)value.len};
    memcpy(entry->data, key.data, key.len);
    if (value.len > 0) memcpy(entry->data + key.len, value.data, value.len);
    entry->data[key.len + value.len] = '\0';
    map_add(&shared->entries, entry);
    if (expires_ms != 0) add_to_heap(shared, entry);
    uint64_t size = size_of(key.len, value.len);
    shared->bytes += size;
    metrics_add(METRIC_shared_entries, 1);
    metrics_add(METRIC_shared_bytes, (int64_t)size);
}

static bool is_due(const Entry *entry, uint64_t now_ms) {
    return entry->expires_ms != 0 && entry->expires_ms <= now_ms;
}

static bool try_purge_one(Shared *shared, uint64_t now_ms) {
    if (shared->heap_count == 0 || !is_due(shared->heap[1], now_ms)) return false;
    remove_entry(shared, shared->heap[1]);
    return true;
}

static void purge(Shared *shared, uint64_t now_ms) {
    for (int i = 0; i < PURGE_MAX && try_purge_one(shared, now_ms); i++) {
    }
}

/* One that is due is removed. */
static Entry *find(Shared *shared, Str key, uint64_t now_ms) {
    Entry *entry = map_find(&shared->entries, key);
    if (entry == NULL || !is_due(entry, now_ms)) return entry;
    remove_entry(shared, entry);
    return NULL;
}

/* One part of the room is not for guests; but what is not larger than the old one always fits. */
static bool has_room(const Shared *shared, const Entry *old, uint64_t size, bool is_guest) {
    uint64_t old_size = old ? size_of(old->key_len, old->value_len) : 0;
    if (old != NULL && size <= old_size) return true;
    SharedLimits limits = shared->limits;
    if (is_guest) {
        limits.bytes_max -= limits.bytes_max / RESERVE_PART;
        limits.entries_max -= limits.entries_max / RESERVE_PART;
    }
    size_t count = shared->entries.count + (old == NULL);
    return shared->bytes - old_size + size <= limits.bytes_max && count <= limits.entries_max;
}

/* Puts it in the place of `old`, which may be NULL and is not due. */
static int replace(Shared *shared, Entry *old, const SharedChange *change, uint64_t now_ms) {
    uint64_t size = size_of(change->key.len, change->value.len);
    while (!has_room(shared, old, size, change->is_guest)) {
        if (!try_purge_one(shared, now_ms)) {
            metrics_add(METRIC_limit_hits_total, 1);
            return ERR_LIMIT;
        }
    }
    if (old != NULL) remove_entry(shared, old);
    add_entry(shared, change->key, change->value, change->expires_ms);
    return 0;
}

static int set(Shared *shared, const SharedChange *change, uint64_t now_ms) {
    purge(shared, now_ms);
    Entry *old = find(shared, change->key, now_ms);
    if (change->must_match) {
        bool matches = old == NULL ? !change->must_exist
                                   : change->must_exist && str_equal(value_of(old), change->expect);
        if (!matches) return ERR_EXISTS;
    }
    return replace(shared, old, change, now_ms);
}

/* A whole number as %lld writes it, and nothing else. */
static bool is_number(const Entry *entry, int64_t *out) {
    Str text = value_of(entry);
    if (text.len == 0 || text.len > NUMBER_LEN_MAX) return false;
    char *end;
    errno = 0;
    *out = strtoll(text.data, &end, 10);
    return errno == 0 && end == text.data + text.len && text.data[0] > ' ' && text.data[0] != '+';
}

static int increment(Shared *shared, const SharedStep *step, uint64_t now_ms, int64_t *sum,
                     uint64_t *expires_ms) {
    purge(shared, now_ms);
    Entry *old = find(shared, step->key, now_ms);
    int64_t before = 0;
    int64_t after;
    if (old != NULL && !is_number(old, &before)) return ERR_INVALID;
    if (__builtin_add_overflow(before, step->amount, &after)) return ERR_INVALID;
    char text[NUMBER_LEN_MAX + 2];
    int len = snprintf(text, sizeof text, "%lld", (long long)after);
    SharedChange change = {.key = step->key,
                           .value = str_make(text, (size_t)len),
                           .expires_ms = old ? old->expires_ms : step->expires_ms,
                           .is_guest = step->is_guest};
    int err = 0;
    if (old != NULL && old->value_len == change.value.len) {
        memcpy(old->data + old->key_len, text, change.value.len);
    } else {
        err = replace(shared, old, &change, now_ms);
    }
    if (err != 0) return err;
    *sum = after;
    *expires_ms = change.expires_ms;
    return 0;
}

Shared *shared_new(const SharedLimits *limits) {
    Shared *shared = mem_zalloc(sizeof *shared);
    ensure(pthread_mutex_init(&shared->lock, NULL) == 0);
    map_init(&shared->entries, key_of);
    shared->limits = *limits;
    return shared;
}

void shared_free(Shared *shared) {
    if (shared == NULL) return;
    size_t at = 0;
    for (Entry *entry = map_next(&shared->entries, &at); entry != NULL;
         entry = map_next(&shared->entries, &at)) {
        mem_free(entry);
    }
    metrics_add(METRIC_shared_entries, -(int64_t)shared->entries.count);
    metrics_add(METRIC_shared_bytes, -(int64_t)shared->bytes);
    map_deinit(&shared->entries);
    mem_free(shared->heap);
    pthread_mutex_destroy(&shared->lock);
    mem_free(shared);
}

int shared_get(Shared *shared, Str key, uint64_t now_ms, char *out, size_t *len) {
    pthread_mutex_lock(&shared->lock);
    const Entry *entry = find(shared, key, now_ms);
    int err = entry == NULL ? ERR_NOT_FOUND : entry->value_len > *len ? ERR_LIMIT : 0;
    if (err == 0) memcpy(out, value_of(entry).data, entry->value_len);
    if (entry != NULL) *len = entry->value_len;
    pthread_mutex_unlock(&shared->lock);
    return err;
}

int shared_set(Shared *shared, const SharedChange *change, uint64_t now_ms) {
    pthread_mutex_lock(&shared->lock);
    int err = set(shared, change, now_ms);
    pthread_mutex_unlock(&shared->lock);
    return err;
}

bool shared_remove(Shared *shared, Str key, uint64_t now_ms) {
    pthread_mutex_lock(&shared->lock);
    Entry *entry = find(shared, key, now_ms);
    if (entry != NULL) remove_entry(shared, entry);
    pthread_mutex_unlock(&shared->lock);
    return entry != NULL;
}

int shared_increment(Shared *shared, const SharedStep *step, uint64_t now_ms, int64_t *sum,
                     uint64_t *expires_ms) {
    pthread_mutex_lock(&shared->lock);
    int err = increment(shared, step, now_ms, sum, expires_ms);
    pthread_mutex_unlock(&shared->lock);
    return err;
}
