/* SPDX-License-Identifier: Apache-2.0
 *
 * All are records of the store: in the space "history" the head, the lives and the rules; in two more what each
 * channel lost, by its name, and the events, by their position in digits that sort.
 *
 * The head has the last position that was given. A life begins above it, so a sequence of its own, and the id
 * made of that, are like none of before. What it does not have, unless the life ended well, is up to where
 * channels that are not durable kept something: then all of it counts as lost.
 */
#include "hub/journal.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/pack.h"
#include "hub/notice_record.h"

enum { FORMAT = 1, KEY_LEN = 16, TRIMS_MIN = 256 };

static const Str space_own = {"history", sizeof "history" - 1};
static const Str space_channels = {"history-channels", sizeof "history-channels" - 1};
static const Str space_events = {"history-events", sizeof "history-events" - 1};

typedef struct Key {
    char text[KEY_LEN + 1];
} Key;

static Key key_of(uint64_t position) {
    Key key;
    snprintf(key.text, sizeof key.text, "%016llx", (unsigned long long)position);
    return key;
}

static int put(Store *store, Str space, Str key, Buf *value) {
    StoreRecord record = {space, key, buf_str(value), 0};
    int err = store_put(store, &record);
    buf_deinit(value);
    return err;
}

/* --- reading --- */

typedef struct Reader {
    Store *store;
    const MessageEncoder *encoders;
    History *history;
    uint64_t now_ms; /* monotonic */
    int64_t count;   /* of events, for each channel */
    int err;
} Reader;

static int read_head(Store *store, HistoryPast *past) {
    Buf row = BUF_NONE;
    int err = store_get(store, space_own, STR("head"), 0, &row);
    Pack pack = {buf_str(&row), false};
    bool is_known = pack_take_number(&pack) == FORMAT;
    past->position = pack_take_number(&pack);
    past->forgotten = pack_take_number(&pack);
    past->passing_lost = pack_take_number(&pack);
    if (err == 0 && (!is_known || !pack_is_whole(&pack))) err = ERR_INVALID;
    buf_deinit(&row);
    return err;
}

static int read_lives(Store *store, HistoryPast *past) {
    Buf row = BUF_NONE;
    int err = store_get(store, space_own, STR("lives"), 0, &row);
    if (err == 0) err = lives_unpack(buf_str(&row), &past->lives);
    buf_deinit(&row);
    return err;
}

static int read_rules(Store *store, HistoryPast *past) {
    Buf row = BUF_NONE;
    int err = store_get(store, space_own, STR("rules"), 0, &row);
    if (err == 0) err = retention_unpack(buf_str(&row), &past->rules);
    buf_deinit(&row);
    return err;
}

static int read_past(Store *store, HistoryPast *past) {
    int err = read_head(store, past);
    if (err != 0) return err;
    err = read_lives(store, past);
    if (err == 0) err = read_rules(store, past);
    if (err != 0) lives_deinit(&past->lives);
    return err == ERR_NOT_FOUND ? ERR_INVALID : err;
}

static bool on_channel(void *context, const StoreRecord *record) {
    Reader *reader = context;
    Pack pack = {record->value, false};
    uint64_t lost = pack_take_number(&pack);
    if (!pack_is_whole(&pack)) {
        reader->err = ERR_INVALID;
        return false;
    }
    history_restore_channel(reader->history, record->key, lost, reader->now_ms);
    return true;
}

static int parse_key(Str key, uint64_t *position) {
    unsigned long long number;
    char text[KEY_LEN + 1] = {0};
    if (key.len != KEY_LEN) return ERR_INVALID;
    memcpy(text, key.data, KEY_LEN);
    if (sscanf(text, "%16llx", &number) != 1) return ERR_INVALID;
    *position = number;
    return 0;
}

static bool on_event(void *context, const StoreRecord *record) {
    Reader *reader = context;
    uint64_t position;
    uint64_t age_ms;
    Notice *notice;
    reader->err = parse_key(record->key, &position);
    if (reader->err == 0) {
        reader->err = notice_record_unpack(record->value, position, reader->encoders, reader->history,
                                           &notice, &age_ms);
    }
    if (reader->err != 0) return false;
    reader->count += history_restore(reader->history, notice, age_ms, reader->now_ms);
    notice_release(notice);
    return true;
}

static int read_space(Reader *reader, Str space, StoreOnRecord on_record) {
    StoreRange range = {space, STR_NONE, STR_NONE};
    int err = store_each(reader->store, &range, 0, on_record, reader);
    return err != 0 ? err : reader->err;
}

int journal_load(Store *store, const MessageEncoder *encoders, History *history) {
    HistoryPast past = {.position = 0};
    int err = read_past(store, &past);
    if (err != 0) return err == ERR_NOT_FOUND ? 0 : err;
    history_resume(history, &past, (uint64_t)clock_wall_ms());
    Reader reader = {
        .store = store, .encoders = encoders, .history = history, .now_ms = clock_monotonic_ms()};
    err = read_space(&reader, space_channels, on_channel);
    if (err == 0) err = read_space(&reader, space_events, on_event);
    if (err == 0) metrics_add(METRIC_history_restored_total, reader.count);
    return err;
}

/* --- writing --- */

static int put_head(const Journal *journal, uint64_t passing_lost) {
    Buf row = BUF_NONE;
    pack_add_number(&row, FORMAT);
    pack_add_number(&row, journal->position);
    pack_add_number(&row, history_forgotten(journal->history));
    pack_add_number(&row, passing_lost);
    return put(journal->store, space_own, STR("head"), &row);
}

static int put_lives(const Journal *journal) {
    Buf row = BUF_NONE;
    lives_pack(history_lives(journal->history), &row);
    return put(journal->store, space_own, STR("lives"), &row);
}

static int put_rules(const Journal *journal) {
    Buf row = BUF_NONE;
    retention_pack(&journal->next, &row);
    return put(journal->store, space_own, STR("rules"), &row);
}

static int write_trim(Store *store, const Trim *trim) {
    if (trim->kind == TRIM_CHANNEL) return store_erase(store, space_channels, trim->channel);
    if (trim->kind == TRIM_EVENT) {
        Key key = key_of(trim->number);
        return store_erase(store, space_events, str_make(key.text, KEY_LEN));
    }
    Buf row = BUF_NONE;
    pack_add_number(&row, trim->number);
    return put(store, space_channels, trim->channel, &row);
}

static int write_trims(Journal *journal, uint32_t count_min) {
    history_take_trims(journal->history, count_min, &journal->trims);
    Str rows = buf_str(&journal->trims.rows);
    Trim trim;
    int err = 0;
    while (err == 0 && trims_next(&rows, &trim)) err = write_trim(journal->store, &trim);
    journal->has_trimmed = true;
    return err;
}

/* --- the whole --- */

static bool on_key(void *context, const StoreRecord *record) {
    pack_add_text(context, record->key);
    return true;
}

static int erase_space(Store *store, Str space) {
    Buf keys = BUF_NONE;
    StoreRange range = {space, STR_NONE, STR_NONE};
    int err = store_each(store, &range, 0, on_key, &keys);
    for (Pack pack = {buf_str(&keys), false}; err == 0 && pack.rest.len > 0;) {
        err = store_erase(store, space, pack_take_text(&pack));
    }
    buf_deinit(&keys);
    return err;
}

/* The next journal counts from the beginning, so that marks of this one mean nothing. */
static int erase_all(Store *store) {
    int err = store_forget_marks(store);
    if (err == 0) err = erase_space(store, space_own);
    if (err == 0) err = erase_space(store, space_channels);
    if (err == 0) err = erase_space(store, space_events);
    return err;
}

/* The first position that it gives is one above. */
static int open_journal(Journal *journal) {
    journal->position = history_open_journal(journal->history);
    journal->is_opening = true;
    int err = put_lives(journal);
    if (err == 0) err = put_head(journal, UINT64_MAX);
    return err;
}

static int commit(Journal *journal, int err) {
    if (err == 0) err = store_commit(journal->store);
    if (err != 0) store_rollback(journal->store);
    journal_settle(journal, err);
    return err;
}

static RetentionRules copy_rules(const RetentionRules *rules) {
    Buf row = BUF_NONE;
    RetentionRules copy;
    retention_pack(rules, &row);
    ensure(retention_unpack(buf_str(&row), &copy) == 0);
    buf_deinit(&row);
    return copy;
}

static int go_on(Journal *journal, const RetentionRules *rules) {
    int err = open_journal(journal);
    journal->next = copy_rules(rules);
    journal->has_next = true;
    retention_follow(&journal->next, history_past_rules(journal->history),
                     history_sequence(journal->history));
    if (err == 0) err = put_rules(journal);
    if (err == 0) err = write_trims(journal, 0);
    return err;
}

static bool is_empty(Store *store) {
    Buf head = BUF_NONE;
    int err = store_get(store, space_own, STR("head"), 0, &head);
    buf_deinit(&head);
    return err == ERR_NOT_FOUND;
}

int journal_start(Journal *journal, const RetentionRules *rules) {
    if (journal->history == NULL) return 0;
    bool is_durable = retention_has_durable(rules);
    if (!is_durable && is_empty(journal->store)) return 0;
    int err = store_begin(journal->store);
    if (err != 0) return err;
    if (!is_durable || !history_has_past(journal->history)) err = erase_all(journal->store);
    journal->rules.since = history_sequence(journal->history); /* none of before is in force */
    if (err == 0 && is_durable) err = go_on(journal, rules);
    return commit(journal, err);
}

int journal_stop(Journal *journal) {
    if (!journal->is_open) return 0;
    int err = store_begin(journal->store);
    if (err != 0) return err;
    err = write_trims(journal, 0);
    if (err == 0) err = put_head(journal, history_passing_lost(journal->history));
    return commit(journal, err);
}

int journal_add(Journal *journal, Op *op) {
    op->notice->position = ++journal->position;
    if (op->value == NULL) return 0;
    StoreRecord record = {.space = space_events, .value = bytes_str(op->value)};
    Key key = key_of(journal->position);
    record.key = str_make(key.text, KEY_LEN);
    return store_put(journal->store, &record);
}

/* Rules that are changed by a reload are in force on some workers before they are on others. */
int journal_change_rules(Journal *journal, const Op *op) {
    RetentionRules *next = &journal->next;
    if (journal->history == NULL) return 0;
    int err = retention_unpack(bytes_str(op->value), next);
    if (err != 0) return err;
    journal->has_next = true;
    bool opens = !journal->is_open && retention_has_durable(next);
    if (!op->is_add) retention_weaken(next, &journal->rules);
    bool is_changed = retention_follow(next, &journal->rules, history_sequence(journal->history));
    if (!journal->is_open && !opens) return 0;
    if (opens) err = open_journal(journal);
    if (!is_changed && !opens) return err;
    history_change_rules(journal->history);
    return err != 0 ? err : put_rules(journal);
}

uint64_t journal_mark(const Journal *journal, Str channel) {
    const Retention *keep = retention_find(&journal->rules, channel);
    if (keep == NULL || !keep->is_durable) return 0;
    return ((journal->position + 1) << HISTORY_POSITION_SHIFT) - 1;
}

int journal_finish(Journal *journal) {
    int err = journal->position != journal->committed ? put_head(journal, UINT64_MAX) : 0;
    if (err == 0 && journal->is_open) err = write_trims(journal, TRIMS_MIN);
    return err;
}

void journal_settle(Journal *journal, int err) {
    if (err == 0) {
        journal->committed = journal->position;
        if (journal->has_trimmed) trims_deinit(&journal->trims);
        if (journal->is_opening) journal->is_open = true;
        if (journal->has_next) {
            RetentionRules before = journal->rules;
            journal->rules = journal->next;
            journal->next = before;
        }
    } else if (journal->is_opening) {
        history_close_journal(journal->history);
    }
    if (journal->has_next) retention_deinit(&journal->next);
    journal->position = journal->committed;
    journal->has_next = journal->has_trimmed = journal->is_opening = false;
}

void journal_init(Journal *journal, Store *store, History *history) {
    *journal = (Journal){.store = store, .history = history};
    retention_init(&journal->rules);
    retention_init(&journal->next);
}

void journal_deinit(Journal *journal) {
    retention_deinit(&journal->rules);
    trims_deinit(&journal->trims);
}
