/* SPDX-License-Identifier: Apache-2.0
 *
 * An Entry is one event in one channel. It lies in two lists, both oldest first: that of its channel,
 * for the channel's limits, and that of all, for the node's. The bytes of a Notice count once, however
 * many channels keep it.
 *
 * What a channel lost is told by one number, lost_sequence: all it ever had up to it may be gone. A
 * newcomer is noted until it is above the sequence since which the channel is his.
 */
#include "hub/history.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/ensure.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "hub/cursor.h"

enum {
    SWEEP_CHANNELS = 256,
    IDLE_MS = 3600 * 1000,
    NEWCOMERS_MAX = 4096 /* of a channel */
};

typedef struct Channel {
    List link;    /* in history->channels */
    List entries; /* oldest first */
    List newcomers;
    Map keys;       /* entries by the key of their event */
    Map by_name;    /* newcomers */
    uint32_t count; /* entries */
    uint64_t bytes;
    uint64_t lost_sequence;
    uint64_t idle_ms; /* when its last entry went; monotonic */
    bool is_durable;  /* as its last event was kept */
    uint32_t name_len;
    char name[];
} Channel;

typedef struct Entry {
    List in_channel;
    List in_history;
    Channel *channel;
    Notice *notice;
    uint64_t sequence;
    uint64_t ends_ms; /* by the channel's ttl */
    uint32_t target;
    uint32_t bytes;
} Entry;

typedef struct Newcomer {
    List link;      /* oldest first */
    uint64_t since; /* the last sequence that is not his */
    uint32_t name_len;
    char name[];
} Newcomer;

struct History {
    pthread_mutex_t lock; /* guards all below but epoch and bytes_max; inside the bus's shards */
    uint64_t epoch;
    uint64_t bytes_max;
    uint64_t sequence; /* of the last event that got one */
    uint64_t forgotten;
    uint64_t bytes;
    Map by_name;
    List channels;     /* the one to be swept next first */
    List entries;      /* oldest first */
    Entry *spare;      /* the last one that was dropped, for the next one; NULL: none */
    uint64_t restored; /* the last sequence of the life before; 0: none */
    uint64_t base;     /* from which this life counts on */
    atomic_bool is_durable;
};

static Str key_of_channel(const void *value) {
    const Channel *channel = value;
    return str_make(channel->name, channel->name_len);
}

static Str key_of_entry(const void *value) {
    return ((const Entry *)value)->notice->key;
}

static Str key_of_newcomer(const void *value) {
    const Newcomer *newcomer = value;
    return str_make(newcomer->name, newcomer->name_len);
}

static void count_bytes(History *history, int64_t bytes) {
    history->bytes += (uint64_t)bytes;
    metrics_add(METRIC_history_bytes, bytes);
}

/* --- ids --- */

void history_encode_id(const History *history, uint64_t sequence, char id[MESSAGE_ID_LEN]) {
    cursor_encode(history->epoch, sequence, id);
}

/* No event was given what lies between the last life and this one. */
bool history_parse_id(const History *history, Str id, uint64_t *sequence) {
    uint64_t epoch;
    return cursor_parse(id, &epoch, sequence) && epoch == history->epoch &&
           (*sequence <= history->restored || *sequence >= history->base);
}

/* --- newcomers --- */

static void drop_newcomer(History *history, Channel *channel, Newcomer *newcomer) {
    map_remove(&channel->by_name, key_of_newcomer(newcomer));
    list_remove(&newcomer->link);
    count_bytes(history, -(int64_t)(sizeof *newcomer + newcomer->name_len + sizeof(MapSlot)));
    mem_free(newcomer);
}

/* Those who were there before all that is lost know no more by their note. */
static void drop_old_newcomers(History *history, Channel *channel) {
    while (!list_is_empty(&channel->newcomers)) {
        Newcomer *newcomer = list_entry(channel->newcomers.next, Newcomer, link);
        if (newcomer->since >= channel->lost_sequence) return;
        drop_newcomer(history, channel, newcomer);
    }
}

/* --- entries --- */

/* Other encodings are made when somebody wants them, and as long as that. */
static uint32_t size_of_message(const Message *message) {
    return message_frame(message, 0)->len;
}

static const Message *message_of(const Notice *notice, uint32_t target) {
    return &notice->messages[notice->targets[target].message];
}

static void drop_entry(History *history, Entry *entry, bool is_lost) {
    Channel *channel = entry->channel;
    Notice *notice = entry->notice;
    if (is_lost) channel->lost_sequence = entry->sequence;
    if (notice->key.len > 0 && map_find(&channel->keys, notice->key) == entry) {
        map_remove(&channel->keys, notice->key);
    }
    list_remove(&entry->in_channel);
    list_remove(&entry->in_history);
    channel->count--;
    channel->bytes -= entry->bytes;
    count_bytes(history, -(int64_t)sizeof *entry);
    metrics_add(METRIC_history_events, -1);
    if (--notice->kept_count == 0) {
        count_bytes(history, -(int64_t)notice->kept_bytes);
        notice_release(notice);
    }
    mem_free(history->spare);
    history->spare = entry;
}

static void drop_first(History *history, Channel *channel, uint64_t now_ms) {
    drop_entry(history, list_entry(channel->entries.next, Entry, in_channel), true);
    drop_old_newcomers(history, channel);
    if (channel->count == 0) channel->idle_ms = now_ms;
}

static uint64_t size_of_channel(const Channel *channel) {
    return sizeof *channel + channel->name_len + sizeof(MapSlot);
}

static Channel *add_channel(History *history, Str name) {
    Channel *channel = map_find(&history->by_name, name);
    if (channel != NULL) return channel;
    channel = mem_zalloc(sizeof *channel + name.len);
    list_init(&channel->entries);
    list_init(&channel->newcomers);
    map_init(&channel->keys, key_of_entry);
    map_init(&channel->by_name, key_of_newcomer);
    channel->lost_sequence = history->forgotten;
    channel->name_len = (uint32_t)name.len;
    memcpy(channel->name, name.data, name.len);
    map_add(&history->by_name, channel);
    list_add(&history->channels, &channel->link);
    count_bytes(history, (int64_t)size_of_channel(channel));
    return channel;
}

/* An empty one. */
static void forget_channel(History *history, Channel *channel) {
    while (!list_is_empty(&channel->newcomers)) {
        drop_newcomer(history, channel, list_entry(channel->newcomers.next, Newcomer, link));
    }
    if (channel->lost_sequence > history->forgotten) history->forgotten = channel->lost_sequence;
    map_remove(&history->by_name, key_of_channel(channel));
    list_remove(&channel->link);
    count_bytes(history, -(int64_t)size_of_channel(channel));
    map_deinit(&channel->keys);
    map_deinit(&channel->by_name);
    mem_free(channel);
}

static void count_notice(History *history, Notice *notice) {
    notice->kept_bytes = sizeof *notice;
    for (uint32_t i = 0; i < notice->message_count; i++) {
        notice->kept_bytes += size_of_message(&notice->messages[i]);
    }
    count_bytes(history, (int64_t)notice->kept_bytes);
    notice_retain(notice);
}

static void add_entry(History *history, Notice *notice, uint32_t target, uint64_t ends_ms,
                      uint64_t now_ms) {
    const Retention *keep = &notice->targets[target].keep;
    Channel *channel = add_channel(history, notice->targets[target].name);
    channel->is_durable = keep->is_durable;
    Entry *entry = history->spare != NULL ? history->spare : mem_alloc(sizeof *entry);
    history->spare = NULL;
    *entry = (Entry){.channel = channel,
                     .notice = notice,
                     .sequence = notice_sequence(notice, target),
                     .ends_ms = ends_ms,
                     .target = target,
                     .bytes = size_of_message(message_of(notice, target))};
    if (notice->kept_count++ == 0) count_notice(history, notice);
    Entry *older = notice->key.len > 0 ? map_find(&channel->keys, notice->key) : NULL;
    if (older != NULL) drop_entry(history, older, false);
    if (notice->key.len > 0) map_add(&channel->keys, entry);
    list_add(&channel->entries, &entry->in_channel);
    list_add(&history->entries, &entry->in_history);
    channel->count++;
    channel->bytes += entry->bytes;
    count_bytes(history, sizeof *entry);
    metrics_add(METRIC_history_events, 1);
    while (channel->count > keep->events_max ||
           (channel->count > 0 && channel->bytes > keep->bytes_max)) {
        drop_first(history, channel, now_ms);
    }
}

static void give_ids(History *history, Notice *notice) {
    notice->first_sequence = history->sequence + 1;
    for (uint32_t i = 0; i < notice->message_count; i++) {
        char id[MESSAGE_ID_LEN];
        if (i == 0 || !notice->is_efficient) history->sequence++;
        history_encode_id(history, history->sequence, id);
        message_set_id(&notice->messages[i], id);
    }
    notice->last_sequence = history->sequence;
}

static bool has_room(const History *history) {
    return history->bytes <= history->bytes_max;
}

static void make_room(History *history, uint64_t now_ms) {
    while (!has_room(history) && !list_is_empty(&history->entries)) {
        Entry *oldest = list_entry(history->entries.next, Entry, in_history);
        metrics_add(METRIC_limit_hits_total, 1);
        drop_first(history, oldest->channel, now_ms);
    }
    List *at = history->channels.next;
    while (!has_room(history) && at != &history->channels) {
        Channel *channel = list_entry(at, Channel, link);
        at = at->next;
        if (channel->count == 0) forget_channel(history, channel);
    }
}

void history_add(History *history, Notice *notice, uint64_t now_ms) {
    give_ids(history, notice);
    for (uint32_t i = 0; i < notice->target_count; i++) {
        const Retention *keep = &notice->targets[i].keep;
        if (keep->events_max > 0) {
            add_entry(history, notice, i, now_ms + keep->ttl_ms, now_ms);
        }
    }
    if (!has_room(history)) make_room(history, now_ms);
}

/* --- newcomers' notes --- */

static void add_newcomer(History *history, Channel *channel, Str user, uint64_t since) {
    Newcomer *newcomer = map_find(&channel->by_name, user);
    if (newcomer != NULL) drop_newcomer(history, channel, newcomer);
    newcomer = mem_alloc(sizeof *newcomer + user.len);
    newcomer->since = since;
    newcomer->name_len = (uint32_t)user.len;
    memcpy(newcomer->name, user.data, user.len);
    list_add(&channel->newcomers, &newcomer->link);
    map_add(&channel->by_name, newcomer);
    count_bytes(history, (int64_t)(sizeof *newcomer + user.len + sizeof(MapSlot)));
}

/* All that the channel has may be somebody's or not: nobody can be told any more. */
static void lose_all(History *history, Channel *channel, uint64_t now_ms) {
    while (channel->count > 0) drop_first(history, channel, now_ms);
    channel->lost_sequence = history->sequence + 1;
    drop_old_newcomers(history, channel);
    channel->lost_sequence = history->sequence;
}

void history_note(History *history, Str user, Str channel_name, uint64_t now_ms) {
    history_lock(history);
    Channel *channel = map_find(&history->by_name, channel_name);
    if (channel != NULL) {
        if (channel->by_name.count >= NEWCOMERS_MAX) lose_all(history, channel, now_ms);
        add_newcomer(history, channel, user, history->sequence);
        if (!has_room(history)) make_room(history, now_ms);
    }
    history_unlock(history);
}

/* --- reading --- */

static bool is_for(const Entry *entry, const HistoryQuery *query) {
    const Notice *notice = entry->notice;
    if (notice->ends_ms != 0 && notice->ends_ms <= query->now_ms) return false;
    for (uint32_t i = 0; i < notice->except_count; i++) {
        if (str_equal(notice->except[i], query->user)) return false;
    }
    return !notice_excepts_session(notice, query->session);
}

static void append(MissedList *list, const Entry *entry) {
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 16;
        list->items = mem_grow(list->items, list->cap, sizeof *list->items);
    }
    list->items[list->count++] = (Missed){notice_retain(entry->notice), entry->sequence, entry->target};
}

static HistoryAnswer collect(const Channel *channel, const HistoryQuery *query, MissedList *list) {
    const Newcomer *newcomer = map_find(&channel->by_name, query->user);
    uint64_t after = query->after;
    if (newcomer != NULL && newcomer->since > after) after = newcomer->since;
    if (after < channel->lost_sequence) return HISTORY_LOST;
    for (const List *at = channel->entries.prev; at != &channel->entries; at = at->prev) {
        const Entry *entry = list_entry(at, Entry, in_channel);
        if (entry->sequence <= after) break;
        if (entry->sequence <= query->upto && is_for(entry, query)) append(list, entry);
    }
    return HISTORY_WHOLE;
}

HistoryAnswer history_collect(History *history, Str name, const HistoryQuery *query, MissedList *list) {
    history_lock(history);
    const Channel *channel = map_find(&history->by_name, name);
    HistoryAnswer answer = channel ? collect(channel, query, list) : HISTORY_UNKNOWN;
    history_unlock(history);
    return answer;
}

void missed_deinit(MissedList *list) {
    for (size_t i = 0; i < list->count; i++) notice_release(list->items[i].notice);
    mem_free(list->items);
    *list = (MissedList){NULL, 0, 0};
}

uint64_t history_sequence(History *history) {
    history_lock(history);
    uint64_t sequence = history->sequence;
    history_unlock(history);
    return sequence;
}

uint64_t history_forgotten(History *history) {
    history_lock(history);
    uint64_t forgotten = history->forgotten;
    history_unlock(history);
    return forgotten;
}

/* --- time --- */

static void sweep_channel(History *history, Channel *channel, uint64_t now_ms) {
    while (channel->count > 0) {
        const Entry *oldest = list_entry(channel->entries.next, Entry, in_channel);
        if (oldest->ends_ms > now_ms) return;
        drop_first(history, channel, now_ms);
    }
    if (channel->idle_ms + IDLE_MS <= now_ms) forget_channel(history, channel);
}

bool history_sweep(History *history, uint64_t now_ms) {
    history_lock(history);
    size_t count = history->by_name.count;
    for (size_t i = 0; i < count && i < SWEEP_CHANNELS; i++) {
        Channel *channel = list_entry(history->channels.next, Channel, link);
        list_remove(&channel->link);
        list_add(&history->channels, &channel->link);
        sweep_channel(history, channel, now_ms);
    }
    history_unlock(history);
    return count > SWEEP_CHANNELS;
}

/* --- outliving the process --- */

void history_make_durable(History *history) {
    atomic_store_explicit(&history->is_durable, true, memory_order_relaxed);
}

bool history_is_durable(const History *history) {
    return atomic_load_explicit(&history->is_durable, memory_order_relaxed);
}

void history_forget_passing(History *history) {
    List *at = history->channels.next;
    while (at != &history->channels) {
        Channel *channel = list_entry(at, Channel, link);
        at = at->next;
        if (channel->is_durable) continue;
        while (channel->count > 0) drop_first(history, channel, 0);
        forget_channel(history, channel);
    }
}

HistoryHead history_head(const History *history) {
    return (HistoryHead){history->epoch, history->sequence, history->forgotten};
}

void history_each(const History *history, const HistoryReader *reader) {
    for (const List *at = history->channels.next; at != &history->channels; at = at->next) {
        const Channel *channel = list_entry(at, Channel, link);
        reader->on_channel(reader->context, key_of_channel(channel), channel->lost_sequence);
        for (const List *n = channel->newcomers.next; n != &channel->newcomers; n = n->next) {
            const Newcomer *newcomer = list_entry(n, Newcomer, link);
            reader->on_newcomer(reader->context, key_of_newcomer(newcomer), newcomer->since);
        }
    }
    for (const List *at = history->entries.next; at != &history->entries; at = at->next) {
        const Entry *entry = list_entry(at, Entry, in_history);
        reader->on_event(reader->context, entry->notice, entry->target, entry->ends_ms);
    }
}

void history_restore(History *history, const HistoryHead *head, uint64_t base) {
    history->epoch = head->epoch;
    history->forgotten = head->forgotten;
    history->restored = head->sequence;
    history->base = history->sequence = base > head->sequence ? base : head->sequence;
}

void history_restore_channel(History *history, Str name, uint64_t lost_sequence, uint64_t now_ms) {
    Channel *channel = add_channel(history, name);
    channel->lost_sequence = lost_sequence;
    channel->idle_ms = now_ms;
    channel->is_durable = true;
}

void history_restore_newcomer(History *history, Str channel, Str user, uint64_t since) {
    add_newcomer(history, add_channel(history, channel), user, since);
}

void history_restore_event(History *history, Notice *notice, uint32_t target, uint64_t ends_ms,
                           uint64_t now_ms) {
    add_entry(history, notice, target, ends_ms, now_ms);
    if (!has_room(history)) make_room(history, now_ms);
}

void history_lock(History *history) {
    pthread_mutex_lock(&history->lock);
}

void history_unlock(History *history) {
    pthread_mutex_unlock(&history->lock);
}

History *history_new(uint64_t epoch, uint64_t bytes_max) {
    History *history = mem_zalloc(sizeof *history);
    ensure(pthread_mutex_init(&history->lock, NULL) == 0);
    history->epoch = epoch & ((1ULL << CURSOR_EPOCH_BITS) - 1);
    history->bytes_max = bytes_max;
    map_init(&history->by_name, key_of_channel);
    list_init(&history->channels);
    list_init(&history->entries);
    return history;
}

void history_free(History *history) {
    if (history == NULL) return;
    while (!list_is_empty(&history->channels)) {
        Channel *channel = list_entry(history->channels.next, Channel, link);
        while (channel->count > 0) drop_first(history, channel, 0);
        forget_channel(history, channel);
    }
    map_deinit(&history->by_name);
    mem_free(history->spare);
    pthread_mutex_destroy(&history->lock);
    mem_free(history);
}
