/* SPDX-License-Identifier: Apache-2.0
 *
 * An entry lies in two lists, both oldest first: that of its channel, for the channel's limits, and that of
 * all, for the node's. The bytes of a Notice count once, however many channels keep it.
 *
 * What a channel lost is told by one number, lost_sequence. A newcomer is noted until it is above the
 * sequence since which the channel is his.
 */
#include "hub/kept.h"

#include "base/mem.h"
#include "base/metrics.h"

static Str key_of_channel(const void *value) {
    return kept_name(value);
}

static Str key_of_entry(const void *value) {
    return ((const KeptEntry *)value)->notice->key;
}

static void count_bytes(Kept *kept, int64_t bytes) {
    kept->bytes += (uint64_t)bytes;
    metrics_add(METRIC_history_bytes, bytes);
}

/* --- what the journal may forget --- */

static void trim_event(Kept *kept, const Notice *notice) {
    if (notice->position == 0) return;
    trims_add(&kept->trims, &(Trim){.kind = TRIM_EVENT, .number = notice->position});
}

static void mark_dirty(Kept *kept, KeptChannel *channel) {
    if (!channel->is_durable || !list_is_empty(&channel->dirty)) return;
    list_add(&kept->dirty, &channel->dirty);
    kept->trims.count++;
}

void kept_take_trims(Kept *kept, Trims *trims) {
    while (!list_is_empty(&kept->dirty)) {
        KeptChannel *channel = list_entry(kept->dirty.next, KeptChannel, dirty);
        list_remove(&channel->dirty);
        trims_add(&kept->trims, &(Trim){TRIM_LOST, channel->lost_sequence, kept_name(channel)});
    }
    trims_move(&kept->trims, trims);
}

/* --- what was lost --- */

static void drop_newcomers(Kept *kept, KeptChannel *channel, uint64_t below) {
    uint64_t before = channel->newcomers.bytes;
    newcomers_forget(&channel->newcomers, below);
    count_bytes(kept, (int64_t)(channel->newcomers.bytes - before));
}

/* Newcomers who were there before all that is lost know no more by their note. */
static void lose(Kept *kept, KeptChannel *channel, uint64_t sequence) {
    channel->lost_sequence = sequence;
    mark_dirty(kept, channel);
    drop_newcomers(kept, channel, sequence);
}

/* --- entries --- */

/* Other encodings are made when somebody wants them, and as long as that. */
static uint32_t size_of_message(const Message *message) {
    return message_frame(message, 0)->len;
}

static const Message *message_of(const Notice *notice, uint32_t target) {
    return &notice->messages[notice->targets[target].message];
}

static void drop_entry(Kept *kept, KeptEntry *entry, bool is_lost) {
    KeptChannel *channel = entry->channel;
    Notice *notice = entry->notice;
    if (is_lost) lose(kept, channel, entry->sequence);
    if (notice->key.len > 0 && map_find(&channel->keys, notice->key) == entry) {
        map_remove(&channel->keys, notice->key);
    }
    list_remove(&entry->in_channel);
    list_remove(&entry->in_kept);
    channel->count--;
    channel->bytes -= entry->bytes;
    count_bytes(kept, -(int64_t)sizeof *entry);
    metrics_add(METRIC_history_events, -1);
    if (--notice->kept_count == 0) {
        count_bytes(kept, -(int64_t)notice->kept_bytes);
        trim_event(kept, notice);
        notice_release(notice);
    }
    mem_free(kept->spare);
    kept->spare = entry;
}

void kept_drop_first(Kept *kept, KeptChannel *channel, uint64_t now_ms) {
    drop_entry(kept, list_entry(channel->entries.next, KeptEntry, in_channel), true);
    if (channel->count == 0) channel->idle_ms = now_ms;
}

static void count_notice(Kept *kept, Notice *notice) {
    notice->kept_bytes = sizeof *notice;
    for (uint32_t i = 0; i < notice->message_count; i++) {
        notice->kept_bytes += size_of_message(&notice->messages[i]);
    }
    count_bytes(kept, (int64_t)notice->kept_bytes);
    notice_retain(notice);
}

static void add_entry(Kept *kept, KeptEntry *entry) {
    KeptChannel *channel = entry->channel;
    Str key = entry->notice->key;
    if (entry->notice->kept_count++ == 0) count_notice(kept, entry->notice);
    KeptEntry *older = key.len > 0 ? map_find(&channel->keys, key) : NULL;
    if (older != NULL) drop_entry(kept, older, false);
    if (key.len > 0) map_add(&channel->keys, entry);
    list_add(&channel->entries, &entry->in_channel);
    list_add(&kept->entries, &entry->in_kept);
    channel->count++;
    channel->bytes += entry->bytes;
    count_bytes(kept, sizeof *entry);
    metrics_add(METRIC_history_events, 1);
}

void kept_add(Kept *kept, KeptChannel *channel, Notice *notice, uint32_t target, uint64_t ends_ms,
              uint64_t now_ms) {
    const Retention *keep = &notice->targets[target].keep;
    channel->is_durable = keep->is_durable;
    KeptEntry *entry = kept->spare != NULL ? kept->spare : mem_alloc(sizeof *entry);
    kept->spare = NULL;
    *entry = (KeptEntry){.channel = channel,
                         .notice = notice,
                         .sequence = notice_sequence(notice, target),
                         .ends_ms = ends_ms,
                         .target = target,
                         .bytes = size_of_message(message_of(notice, target))};
    add_entry(kept, entry);
    while (channel->count > keep->events_max ||
           (channel->count > 0 && channel->bytes > keep->bytes_max)) {
        kept_drop_first(kept, channel, now_ms);
    }
}

/* --- channels --- */

static uint64_t size_of_channel(const KeptChannel *channel) {
    return sizeof *channel + channel->name_len + sizeof(MapSlot);
}

KeptChannel *kept_add_channel(Kept *kept, Str name, bool is_durable, uint64_t lost) {
    KeptChannel *channel = mem_zalloc(sizeof *channel + name.len);
    list_init(&channel->dirty);
    list_init(&channel->entries);
    newcomers_init(&channel->newcomers);
    map_init(&channel->keys, key_of_entry);
    channel->is_durable = is_durable;
    channel->lost_sequence = lost;
    channel->name_len = (uint32_t)name.len;
    memcpy(channel->name, name.data, name.len);
    map_add(&kept->by_name, channel);
    list_add(&kept->channels, &channel->link);
    count_bytes(kept, (int64_t)size_of_channel(channel));
    mark_dirty(kept, channel);
    return channel;
}

static void note_forgotten(Kept *kept, bool is_durable, uint64_t sequence) {
    if (sequence > kept->forgotten[is_durable]) kept->forgotten[is_durable] = sequence;
}

void kept_mix(Kept *kept) {
    kept->is_mixed = true;
    note_forgotten(kept, true, kept->forgotten[false]);
    note_forgotten(kept, false, kept->forgotten[true]);
}

void kept_forget_channel(Kept *kept, KeptChannel *channel) {
    note_forgotten(kept, channel->is_durable, channel->lost_sequence);
    if (kept->is_mixed) note_forgotten(kept, !channel->is_durable, channel->lost_sequence);
    if (channel->is_durable) {
        trims_add(&kept->trims, &(Trim){.kind = TRIM_CHANNEL, .channel = kept_name(channel)});
    }
    drop_newcomers(kept, channel, UINT64_MAX);
    newcomers_deinit(&channel->newcomers);
    map_remove(&kept->by_name, kept_name(channel));
    list_remove(&channel->link);
    list_remove(&channel->dirty);
    count_bytes(kept, -(int64_t)size_of_channel(channel));
    map_deinit(&channel->keys);
    mem_free(channel);
}

/* All that the channel has may be somebody's or not: nobody can be told any more. */
static void lose_all(Kept *kept, KeptChannel *channel, uint64_t newest, uint64_t now_ms) {
    while (channel->count > 0) kept_drop_first(kept, channel, now_ms);
    drop_newcomers(kept, channel, UINT64_MAX);
    lose(kept, channel, newest);
}

void kept_add_newcomer(Kept *kept, KeptChannel *channel, Str user, uint64_t since, uint64_t newest,
                       uint64_t now_ms) {
    if (newcomers_count(&channel->newcomers) >= KEPT_NEWCOMERS_MAX)
        lose_all(kept, channel, newest, now_ms);
    uint64_t before = channel->newcomers.bytes;
    newcomers_add(&channel->newcomers, user, since);
    count_bytes(kept, (int64_t)(channel->newcomers.bytes - before));
    kept_make_room(kept, now_ms);
}

/* --- the node's limit --- */

static bool has_room(const Kept *kept) {
    return kept->bytes <= kept->bytes_max;
}

void kept_make_room(Kept *kept, uint64_t now_ms) {
    while (!has_room(kept) && !list_is_empty(&kept->entries)) {
        const KeptEntry *oldest = list_entry(kept->entries.next, KeptEntry, in_kept);
        metrics_add(METRIC_limit_hits_total, 1);
        kept_drop_first(kept, oldest->channel, now_ms);
    }
    List *at = kept->channels.next;
    while (!has_room(kept) && at != &kept->channels) {
        KeptChannel *channel = list_entry(at, KeptChannel, link);
        at = at->next;
        if (channel->count == 0) kept_forget_channel(kept, channel);
    }
}

void kept_init(Kept *kept, uint64_t bytes_max) {
    *kept = (Kept){.bytes_max = bytes_max};
    map_init(&kept->by_name, key_of_channel);
    list_init(&kept->channels);
    list_init(&kept->entries);
    list_init(&kept->dirty);
}

void kept_deinit(Kept *kept) {
    while (!list_is_empty(&kept->channels)) {
        KeptChannel *channel = list_entry(kept->channels.next, KeptChannel, link);
        while (channel->count > 0) kept_drop_first(kept, channel, 0);
        kept_forget_channel(kept, channel);
    }
    map_deinit(&kept->by_name);
    trims_deinit(&kept->trims);
    mem_free(kept->spare);
}
