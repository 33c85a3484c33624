/* SPDX-License-Identifier: Apache-2.0
 *
 * Of the lives before this one the journal brings what durable channels kept. What the others had is lost;
 * which is which is told by the rules of then.
 */
#include "hub/history.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "hub/kept.h"

enum {
    SWEEP_CHANNELS = 256,
    IDLE_MS = 3600 * 1000,
    CROWD_SIZE = 1 << (HISTORY_POSITION_SHIFT - 2), /* the rest is for those on their way */
    COUNT_MASK = (1 << HISTORY_POSITION_SHIFT) - 1
};

struct History {
    pthread_mutex_t lock; /* guards all but the past; inside the bus's shards */
    uint64_t sequence;    /* of the last event that got one */
    Kept kept;
    bool has_journal;
    atomic_bool is_crowded; /* a hint, read without the lock */
    /* The past: set before there are other threads, then read only. */
    Lives lives;
    RetentionRules rules;
    uint64_t passing_lost;
};

/* --- ids --- */

void history_encode_id(const History *history, uint64_t sequence, char id[MESSAGE_ID_LEN]) {
    lives_encode_id(&history->lives, sequence, id);
}

bool history_parse_id(const History *history, Str id, uint64_t *sequence) {
    return lives_parse_id(&history->lives, id, sequence);
}

static void number_from(const History *history, Notice *notice, uint64_t sequence) {
    notice->first_sequence = sequence;
    for (uint32_t i = 0; i < notice->message_count; i++) {
        char id[MESSAGE_ID_LEN];
        if (i > 0 && !notice->is_efficient) sequence++;
        history_encode_id(history, sequence, id);
        message_set_id(&notice->messages[i], id);
    }
    notice->last_sequence = sequence;
}

void history_number(const History *history, Notice *notice) {
    number_from(history, notice, notice->position << HISTORY_POSITION_SHIFT);
}

static void give_ids(History *history, Notice *notice) {
    if (notice->position != 0) {
        history_number(history, notice);
        ensure(notice->first_sequence > history->sequence);
    } else {
        number_from(history, notice, history->sequence + 1);
    }
    history->sequence = notice->last_sequence;
    bool is_crowded = history->has_journal && (history->sequence & COUNT_MASK) > CROWD_SIZE;
    if (is_crowded != history_is_crowded(history)) {
        atomic_store_explicit(&history->is_crowded, is_crowded, memory_order_relaxed);
    }
}

bool history_is_crowded(const History *history) {
    return atomic_load_explicit(&history->is_crowded, memory_order_relaxed);
}

/* --- what was lost --- */

static uint64_t max(uint64_t one, uint64_t other) {
    return one > other ? one : other;
}

static bool was_passing(const History *history, Str name) {
    const Retention *keep = retention_find(&history->rules, name);
    return keep != NULL && !keep->is_durable;
}

static uint64_t lost_in_past(const History *history, Str name) {
    uint64_t since = retention_since(&history->rules, name); /* a durable one's before are dropped */
    return was_passing(history, name) ? max(history->passing_lost, since) : since;
}

static uint64_t lost_unseen(const History *history, Str name, bool is_durable) {
    return max(history->kept.forgotten[is_durable], lost_in_past(history, name));
}

uint64_t history_unseen_lost(History *history, Str channel, bool is_durable) {
    history_lock(history);
    uint64_t lost = lost_unseen(history, channel, is_durable);
    history_unlock(history);
    return lost;
}

/* --- keeping --- */

static KeptChannel *find_or_add(History *history, Str name, bool is_durable) {
    KeptChannel *channel = kept_find(&history->kept, name);
    if (channel != NULL) return channel;
    return kept_add_channel(&history->kept, name, is_durable, lost_unseen(history, name, is_durable));
}

void history_add(History *history, Notice *notice, uint64_t now_ms) {
    give_ids(history, notice);
    for (uint32_t i = 0; i < notice->target_count; i++) {
        const Target *target = &notice->targets[i];
        if (target->keep.events_max == 0) continue;
        KeptChannel *channel = find_or_add(history, target->name, target->keep.is_durable);
        kept_add(&history->kept, channel, notice, i, now_ms + target->keep.ttl_ms, now_ms);
    }
    kept_make_room(&history->kept, now_ms);
}

void history_note(History *history, Str user, Str name, uint64_t now_ms) {
    history_lock(history);
    KeptChannel *channel = kept_find(&history->kept, name);
    if (channel != NULL) {
        kept_add_newcomer(&history->kept, channel, user, history->sequence, history->sequence, now_ms);
    }
    history_unlock(history);
}

bool history_is_empty(History *history) {
    history_lock(history);
    bool is_empty = history->kept.by_name.count == 0;
    history_unlock(history);
    return is_empty;
}

/* --- reading --- */

static bool is_for(const KeptEntry *entry, const HistoryQuery *query) {
    const Notice *notice = entry->notice;
    if (notice->ends_ms != 0 && notice->ends_ms <= query->now_ms) return false;
    for (uint32_t i = 0; i < notice->except_count; i++) {
        if (str_equal(notice->except[i], query->user)) return false;
    }
    return !notice_excepts_session(notice, query->session);
}

static void append(MissedList *list, const KeptEntry *entry) {
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 16;
        list->items = mem_grow(list->items, list->cap, sizeof *list->items);
    }
    list->items[list->count++] = (Missed){notice_retain(entry->notice), entry->sequence, entry->target};
}

static HistoryAnswer collect(const KeptChannel *channel, const HistoryQuery *query, MissedList *list) {
    uint64_t after = max(query->after, newcomers_since(&channel->newcomers, query->user));
    if (after < channel->lost_sequence) return HISTORY_LOST;
    for (const List *at = channel->entries.prev; at != &channel->entries; at = at->prev) {
        const KeptEntry *entry = list_entry(at, KeptEntry, in_channel);
        if (entry->sequence <= after) break;
        if (entry->sequence <= query->upto && is_for(entry, query)) append(list, entry);
    }
    return HISTORY_WHOLE;
}

HistoryAnswer history_collect(History *history, Str name, const HistoryQuery *query, MissedList *list) {
    history_lock(history);
    const KeptChannel *channel = kept_find(&history->kept, name);
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

/* --- time --- */

static void sweep_channel(Kept *kept, KeptChannel *channel, uint64_t now_ms) {
    while (channel->count > 0) {
        const KeptEntry *oldest = list_entry(channel->entries.next, KeptEntry, in_channel);
        if (oldest->ends_ms > now_ms) return;
        kept_drop_first(kept, channel, now_ms);
    }
    if (channel->idle_ms + IDLE_MS <= now_ms) kept_forget_channel(kept, channel);
}

bool history_sweep(History *history, uint64_t now_ms) {
    history_lock(history);
    Kept *kept = &history->kept;
    size_t count = kept->by_name.count;
    for (size_t i = 0; i < count && i < SWEEP_CHANNELS; i++) {
        KeptChannel *channel = list_entry(kept->channels.next, KeptChannel, link);
        list_remove(&channel->link);
        list_add(&kept->channels, &channel->link);
        sweep_channel(kept, channel, now_ms);
    }
    history_unlock(history);
    return count > SWEEP_CHANNELS;
}

/* --- the journal --- */

uint64_t history_open_journal(History *history) {
    history_lock(history);
    history->has_journal = true;
    uint64_t position = (history->sequence >> HISTORY_POSITION_SHIFT) + 1;
    history_unlock(history);
    return position;
}

void history_close_journal(History *history) {
    history_lock(history);
    history->has_journal = false;
    atomic_store_explicit(&history->is_crowded, false, memory_order_relaxed);
    history_unlock(history);
}

void history_take_trims(History *history, uint32_t count_min, Trims *trims) {
    history_lock(history);
    if (history->kept.trims.count >= count_min) kept_take_trims(&history->kept, trims);
    history_unlock(history);
}

void history_change_rules(History *history) {
    history_lock(history);
    kept_mix(&history->kept);
    history_unlock(history);
}

static uint64_t newest_of(const KeptChannel *channel) {
    if (channel->count == 0) return channel->lost_sequence;
    return list_entry(channel->entries.prev, KeptEntry, in_channel)->sequence;
}

uint64_t history_forgotten(History *history) {
    history_lock(history);
    uint64_t forgotten = history->kept.forgotten[true];
    history_unlock(history);
    return forgotten;
}

uint64_t history_passing_lost(History *history) {
    history_lock(history);
    const Kept *kept = &history->kept;
    uint64_t lost = max(kept->forgotten[false], history->passing_lost);
    for (const List *at = kept->channels.next; at != &kept->channels; at = at->next) {
        const KeptChannel *channel = list_entry(at, KeptChannel, link);
        if (!channel->is_durable) lost = max(lost, newest_of(channel));
    }
    history_unlock(history);
    return lost;
}

/* --- going on --- */

void history_resume(History *history, const HistoryPast *past, uint64_t epoch) {
    uint64_t base = (past->position + 1) << HISTORY_POSITION_SHIFT;
    lives_deinit(&history->lives);
    history->lives = past->lives;
    lives_add(&history->lives, epoch, base);
    history->rules = past->rules;
    history->kept.forgotten[true] = past->forgotten;
    history->passing_lost = past->passing_lost < base ? past->passing_lost : base;
    history->sequence = base;
}

bool history_has_past(const History *history) {
    return history->lives.count > 1;
}

const Lives *history_lives(const History *history) {
    return &history->lives;
}

const RetentionRules *history_past_rules(const History *history) {
    return &history->rules;
}

void history_restore_channel(History *history, Str name, uint64_t lost, uint64_t now_ms) {
    if (was_passing(history, name)) {
        trims_add(&history->kept.trims, &(Trim){.kind = TRIM_CHANNEL, .channel = name});
        return;
    }
    lost = max(lost, lost_in_past(history, name));
    kept_add_channel(&history->kept, name, true, lost)->idle_ms = now_ms;
}

static bool restore_target(History *history, Notice *notice, uint32_t i, uint64_t age_ms,
                           uint64_t now_ms) {
    const Target *target = &notice->targets[i];
    if (target->keep.events_max == 0 || was_passing(history, target->name)) return false;
    KeptChannel *channel = find_or_add(history, target->name, true);
    channel->idle_ms = now_ms;
    if (notice_sequence(notice, i) <= channel->lost_sequence) return false;
    uint64_t ends_ms = target->keep.ttl_ms > age_ms ? now_ms + target->keep.ttl_ms - age_ms : 1;
    kept_add(&history->kept, channel, notice, i, ends_ms, now_ms);
    return true;
}

uint32_t history_restore(History *history, Notice *notice, uint64_t age_ms, uint64_t now_ms) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < notice->target_count; i++) {
        count += restore_target(history, notice, i, age_ms, now_ms);
    }
    if (count == 0) {
        trims_add(&history->kept.trims, &(Trim){.kind = TRIM_EVENT, .number = notice->position});
    }
    kept_make_room(&history->kept, now_ms);
    return count;
}

/* Of many who were subscribed before the channel kept anything nothing needs to be noted. */
static bool is_newcomer(const KeptChannel *channel, uint64_t since) {
    if (since < channel->lost_sequence) return false;
    const KeptEntry *oldest = list_entry(channel->entries.next, KeptEntry, in_channel);
    if (channel->count > 0 && oldest->sequence <= since) return true;
    return channel->lost_sequence > 0 && newcomers_count(&channel->newcomers) < KEPT_NEWCOMERS_MAX / 2;
}

void history_restore_newcomer(History *history, Str user, Str name, uint64_t since, uint64_t now_ms) {
    KeptChannel *channel = kept_find(&history->kept, name);
    if (channel == NULL || !is_newcomer(channel, since)) return;
    kept_add_newcomer(&history->kept, channel, user, since, history->sequence, now_ms);
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
    kept_init(&history->kept, bytes_max);
    lives_init(&history->lives, epoch);
    retention_init(&history->rules);
    return history;
}

void history_free(History *history) {
    if (history == NULL) return;
    kept_deinit(&history->kept);
    lives_deinit(&history->lives);
    retention_deinit(&history->rules);
    pthread_mutex_destroy(&history->lock);
    mem_free(history);
}
