/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of records of the store, keyed by their number, read in the order in which they were written: the
 * head, the channels, each followed by its newcomers, then the events, each followed by the channels that
 * keep it, and the end. A record is a letter and what belongs to it, numbers as they lie in memory: the file
 * stays with the machine's kind. Times are what remains of them.
 */
#include "hub/snapshot.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { FORMAT = 1, KEY_LEN = 16, SEQUENCES_PER_MS = 1000, NAMES_MAX = 1 << 24 };

static const Str space = {"history", sizeof "history" - 1};

/* --- writing --- */

typedef struct Writer {
    Store *store;
    uint64_t now_ms; /* monotonic */
    uint64_t count;  /* records written */
    const Notice *notice;
    Buf record;
    int err;
} Writer;

static void add_number(Writer *writer, uint64_t number) {
    buf_add(&writer->record, str_make((const char *)&number, sizeof number));
}

static void add_text(Writer *writer, Str text) {
    add_number(writer, text.len);
    buf_add(&writer->record, text);
}

static void add_names(Writer *writer, const Str *names, uint32_t count) {
    add_number(writer, count);
    for (uint32_t i = 0; i < count; i++) add_text(writer, names[i]);
}

/* 0 is never; what has ended has a millisecond left. */
static uint64_t rest_of(uint64_t ends_ms, uint64_t now_ms) {
    if (ends_ms == 0) return 0;
    return ends_ms > now_ms ? ends_ms - now_ms : 1;
}

static void begin(Writer *writer, char kind) {
    buf_clear(&writer->record);
    buf_add_char(&writer->record, kind);
}

static void put(Writer *writer) {
    if (writer->err != 0) return;
    char key[KEY_LEN + 1];
    snprintf(key, sizeof key, "%016llx", (unsigned long long)writer->count++);
    StoreRecord record = {space, str_make(key, KEY_LEN), buf_str(&writer->record), 0};
    writer->err = store_put(writer->store, &record);
}

static void put_head(Writer *writer, const History *history) {
    HistoryHead head = history_head(history);
    begin(writer, 'h');
    add_number(writer, FORMAT);
    add_number(writer, head.epoch);
    add_number(writer, head.sequence);
    add_number(writer, head.forgotten);
    add_number(writer, (uint64_t)clock_wall_ms());
    put(writer);
}

static void on_channel(void *context, Str name, uint64_t lost_sequence) {
    Writer *writer = context;
    begin(writer, 'c');
    add_text(writer, name);
    add_number(writer, lost_sequence);
    put(writer);
}

static void on_newcomer(void *context, Str user, uint64_t since) {
    Writer *writer = context;
    begin(writer, 'n');
    add_text(writer, user);
    add_number(writer, since);
    put(writer);
}

static void add_target(Writer *writer, const Target *target) {
    add_text(writer, target->name);
    add_number(writer, target->message);
    add_number(writer, target->keep.events_max);
    add_number(writer, target->keep.bytes_max);
    add_number(writer, target->keep.ttl_ms);
    add_number(writer, target->keep.is_durable);
}

static void put_notice(Writer *writer, const Notice *notice) {
    begin(writer, 'e');
    add_number(writer, notice->is_efficient);
    add_number(writer, rest_of(notice->ends_ms, writer->now_ms));
    add_number(writer, notice->first_sequence);
    add_number(writer, notice->last_sequence);
    add_text(writer, notice->key);
    add_names(writer, notice->except, notice->except_count);
    add_names(writer, notice->except_sessions, notice->except_session_count);
    add_number(writer, notice->target_count);
    for (uint32_t i = 0; i < notice->target_count; i++) add_target(writer, &notice->targets[i]);
    add_number(writer, notice->message_count);
    for (uint32_t i = 0; i < notice->message_count; i++) {
        const MessageParts *parts = &notice->messages[i].parts;
        add_text(writer, parts->event);
        add_text(writer, parts->attributes);
        add_number(writer, parts->ack.data != NULL);
        add_text(writer, parts->ack);
    }
    put(writer);
}

/* What channels keep of one event lies side by side. */
static void on_event(void *context, const Notice *notice, uint32_t target, uint64_t ends_ms) {
    Writer *writer = context;
    if (notice != writer->notice) put_notice(writer, notice);
    writer->notice = notice;
    begin(writer, 'k');
    add_number(writer, target);
    add_number(writer, rest_of(ends_ms, writer->now_ms));
    put(writer);
}

/* --- taking it out --- */

static bool on_key(void *context, const StoreRecord *record) {
    buf_add((Buf *)context, record->key);
    return record->key.len == KEY_LEN;
}

static int erase_all(Store *store) {
    Buf keys = BUF_NONE;
    StoreRange range = {space, STR_NONE, STR_NONE};
    int err = store_each(store, &range, 0, on_key, &keys);
    for (size_t at = 0; err == 0 && at + KEY_LEN <= keys.len; at += KEY_LEN) {
        err = store_erase(store, space, str_make(keys.data + at, KEY_LEN));
    }
    buf_deinit(&keys);
    return err;
}

static int finish(Store *store, int err) {
    if (err == 0) err = store_commit(store);
    if (err != 0) store_rollback(store);
    return err;
}

int snapshot_drop(Store *store) {
    Buf first = BUF_NONE;
    int err = store_get(store, space, STR("0000000000000000"), 0, &first);
    buf_deinit(&first);
    if (err != 0) return err == ERR_NOT_FOUND ? 0 : err;
    err = store_begin(store);
    if (err == 0) err = erase_all(store);
    return finish(store, err);
}

int snapshot_save(History *history, Store *store) {
    Writer writer = {.store = store, .now_ms = clock_monotonic_ms(), .record = BUF_NONE};
    HistoryReader reader = {on_channel, on_newcomer, on_event, &writer};
    history_forget_passing(history);
    writer.err = store_begin(store);
    if (writer.err == 0) writer.err = erase_all(store);
    put_head(&writer, history);
    history_each(history, &reader);
    begin(&writer, 'z');
    put(&writer);
    buf_deinit(&writer.record);
    return finish(store, writer.err);
}

/* --- reading --- */

typedef struct Reader {
    History *history;
    const MessageEncoder *encoders;
    uint64_t now_ms;  /* monotonic */
    uint64_t away_ms; /* since it was written */
    Str rest;         /* of the record */
    Buf channel;      /* that came last */
    Notice *notice;   /* that came last, or NULL */
    int64_t count;    /* of events, for each channel */
    bool has_head;
    bool has_end;
    bool is_bad;
} Reader;

static Str take(Reader *reader, uint64_t len) {
    if (reader->is_bad || len > reader->rest.len) {
        reader->is_bad = true;
        return STR_NONE;
    }
    Str taken = str_make(reader->rest.data, len);
    reader->rest = str_make(reader->rest.data + len, reader->rest.len - len);
    return taken;
}

static uint64_t take_number(Reader *reader) {
    uint64_t number = 0;
    Str bytes = take(reader, sizeof number);
    if (!reader->is_bad) memcpy(&number, bytes.data, sizeof number);
    return number;
}

static Str take_text(Reader *reader) {
    return take(reader, take_number(reader));
}

/* Each takes bytes of the record, so a number beyond these is wrong. */
static uint32_t take_count(Reader *reader) {
    uint64_t count = take_number(reader);
    if (count > reader->rest.len || count > NAMES_MAX) reader->is_bad = true;
    return reader->is_bad ? 0 : (uint32_t)count;
}

/* Gives the list; the names lie in the record. */
static Str *take_names(Reader *reader, uint32_t *count) {
    *count = take_count(reader);
    Str *names = mem_alloc((*count + 1) * sizeof *names);
    for (uint32_t i = 0; i < *count; i++) names[i] = take_text(reader);
    return names;
}

static uint64_t end_of(const Reader *reader, uint64_t rest_ms) {
    if (rest_ms == 0) return 0;
    return rest_ms > reader->away_ms ? reader->now_ms + rest_ms - reader->away_ms : 1;
}

/* Sequences go on far enough above those of before that none is given twice, even if the store is an older
 * copy of itself. */
static void read_head(Reader *reader) {
    bool is_known = take_number(reader) == FORMAT;
    HistoryHead head = {0};
    head.epoch = take_number(reader);
    head.sequence = take_number(reader);
    head.forgotten = take_number(reader);
    uint64_t saved_ms = take_number(reader);
    uint64_t now_ms = (uint64_t)clock_wall_ms();
    if (!is_known || reader->has_head) reader->is_bad = true;
    if (reader->is_bad) return;
    reader->has_head = true;
    reader->away_ms = now_ms > saved_ms ? now_ms - saved_ms : 0;
    uint64_t base = now_ms > head.epoch ? (now_ms - head.epoch) * SEQUENCES_PER_MS : 0;
    history_restore(reader->history, &head, base);
}

static void read_channel(Reader *reader) {
    Str name = take_text(reader);
    uint64_t lost_sequence = take_number(reader);
    if (reader->is_bad) return;
    buf_clear(&reader->channel);
    buf_add(&reader->channel, name);
    history_restore_channel(reader->history, name, lost_sequence, reader->now_ms);
}

static void read_newcomer(Reader *reader) {
    Str user = take_text(reader);
    uint64_t since = take_number(reader);
    if (reader->is_bad) return;
    history_restore_newcomer(reader->history, buf_str(&reader->channel), user, since);
}

typedef struct Targets {
    Str *names;
    Target *items;
    uint32_t count;
} Targets;

static void take_targets(Reader *reader, Targets *targets) {
    targets->count = take_count(reader);
    targets->names = mem_alloc((targets->count + 1) * sizeof *targets->names);
    targets->items = mem_zalloc((targets->count + 1) * sizeof *targets->items);
    for (uint32_t i = 0; i < targets->count; i++) {
        Target *target = &targets->items[i];
        targets->names[i] = take_text(reader);
        target->message = (uint32_t)take_number(reader);
        target->keep.events_max = (uint32_t)take_number(reader);
        target->keep.bytes_max = (uint32_t)take_number(reader);
        target->keep.ttl_ms = (uint32_t)take_number(reader);
        target->keep.is_durable = take_number(reader) != 0;
    }
}

/* All are made, even of a record that is bad: a Notice is released whole. */
static void take_messages(Reader *reader, Notice *notice) {
    for (uint32_t i = 0; i < notice->message_count; i++) {
        char id[MESSAGE_ID_LEN];
        Buf name = BUF_NONE;
        Str event = take_text(reader);
        Str attributes = take_text(reader);
        bool has_ack = take_number(reader) != 0;
        Str ack = take_text(reader);
        if (!reader->is_bad) json_decode_string(event, &name);
        MessageSpec spec = {.event = buf_str(&name),
                            .attributes = attributes,
                            .ack = has_ack ? ack : STR_NONE,
                            .key = notice_key(notice),
                            .ends_ms = notice->ends_ms,
                            .has_id = true};
        message_init(&notice->messages[i], reader->encoders, &spec);
        history_encode_id(reader->history, notice->first_sequence + (notice->is_efficient ? 0 : i), id);
        message_set_id(&notice->messages[i], id);
        buf_deinit(&name);
    }
}

static void make_notice(Reader *reader, NoticeSpec *spec, const Targets *targets) {
    spec->message_count = take_count(reader);
    if (reader->is_bad || targets->count == 0) return;
    Notice *notice = notice_new(spec);
    for (uint32_t i = 0; i < targets->count; i++) {
        notice->targets[i].message = targets->items[i].message;
        notice->targets[i].keep = targets->items[i].keep;
        if (targets->items[i].message >= spec->message_count) reader->is_bad = true;
    }
    notice->is_kept = true;
    reader->notice = notice;
}

static void read_notice(Reader *reader) {
    NoticeSpec spec = {.kind = NOTICE_CHANNELS};
    Targets targets;
    notice_release(reader->notice);
    reader->notice = NULL;
    spec.is_efficient = take_number(reader) != 0;
    spec.ends_ms = end_of(reader, take_number(reader));
    uint64_t first_sequence = take_number(reader);
    uint64_t last_sequence = take_number(reader);
    spec.key = take_text(reader);
    Str *except = take_names(reader, &spec.except_count);
    Str *except_sessions = take_names(reader, &spec.except_session_count);
    take_targets(reader, &targets);
    spec.except = except;
    spec.except_sessions = except_sessions;
    spec.targets = targets.names;
    spec.target_count = targets.count;
    make_notice(reader, &spec, &targets);
    if (reader->notice != NULL) {
        reader->notice->first_sequence = first_sequence;
        reader->notice->last_sequence = last_sequence;
        take_messages(reader, reader->notice);
    }
    mem_free(except);
    mem_free(except_sessions);
    mem_free(targets.names);
    mem_free(targets.items);
}

static void read_kept(Reader *reader) {
    uint64_t target = take_number(reader);
    uint64_t ends_ms = end_of(reader, take_number(reader));
    if (reader->notice == NULL || target >= reader->notice->target_count) reader->is_bad = true;
    if (reader->is_bad) return;
    history_restore_event(reader->history, reader->notice, (uint32_t)target, ends_ms, reader->now_ms);
    reader->count++;
}

static bool on_record(void *context, const StoreRecord *record) {
    Reader *reader = context;
    reader->rest = record->value;
    Str kind = take(reader, 1);
    char letter = reader->is_bad ? 'x' : kind.data[0];
    if (letter != 'h' && !reader->has_head) letter = 'x';
    switch (letter) {
    case 'h': read_head(reader); break;
    case 'c': read_channel(reader); break;
    case 'n': read_newcomer(reader); break;
    case 'e': read_notice(reader); break;
    case 'k': read_kept(reader); break;
    case 'z': reader->has_end = true; break;
    default: reader->is_bad = true;
    }
    if (reader->rest.len > 0) reader->is_bad = true;
    return !reader->is_bad;
}

int snapshot_load(Store *store, const MessageEncoder *encoders, History *history) {
    Reader reader = {
        .history = history, .encoders = encoders, .now_ms = clock_monotonic_ms(), .channel = BUF_NONE};
    StoreRange range = {space, STR_NONE, STR_NONE};
    int err = store_each(store, &range, 0, on_record, &reader);
    notice_release(reader.notice);
    buf_deinit(&reader.channel);
    if (err == 0 && (reader.is_bad || reader.has_end != reader.has_head)) err = ERR_INVALID;
    if (err == 0) metrics_add(METRIC_history_restored_total, reader.count);
    return err;
}
