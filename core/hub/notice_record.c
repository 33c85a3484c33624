/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/notice_record.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pack.h"

/* --- to bytes --- */

static void add_names(Buf *row, const Str *names, uint32_t count) {
    pack_add_number(row, count);
    for (uint32_t i = 0; i < count; i++) pack_add_text(row, names[i]);
}

/* 0 is never; what has ended has a millisecond left. */
static uint64_t rest_of(uint64_t ends_ms) {
    uint64_t now_ms = clock_monotonic_ms();
    if (ends_ms == 0) return 0;
    return ends_ms > now_ms ? ends_ms - now_ms : 1;
}

static void add_target(Buf *row, const Target *target) {
    pack_add_text(row, target->name);
    pack_add_number(row, target->message);
    pack_add_number(row, target->keep.is_durable);
    if (!target->keep.is_durable) return;
    pack_add_number(row, target->keep.events_max);
    pack_add_number(row, target->keep.bytes_max);
    pack_add_number(row, target->keep.ttl_ms);
}

static void add_message(Buf *row, const Message *message) {
    const MessageParts *parts = &message->parts;
    pack_add_text(row, parts->event);
    pack_add_text(row, parts->attributes);
    pack_add_number(row, parts->ack.data != NULL);
    pack_add_text(row, parts->ack);
}

void notice_record_pack(const Notice *notice, Buf *row) {
    pack_add_number(row, (uint64_t)clock_wall_ms());
    pack_add_number(row, notice->is_efficient);
    pack_add_number(row, rest_of(notice->ends_ms));
    pack_add_text(row, notice->key);
    add_names(row, notice->except, notice->except_count);
    add_names(row, notice->except_sessions, notice->except_session_count);
    pack_add_number(row, notice->target_count);
    for (uint32_t i = 0; i < notice->target_count; i++) add_target(row, &notice->targets[i]);
    pack_add_number(row, notice->message_count);
    for (uint32_t i = 0; i < notice->message_count; i++) add_message(row, &notice->messages[i]);
}

/* --- and back --- */

/* Gives the list; the names lie in the row. */
static Str *take_names(Pack *pack, uint32_t *count) {
    *count = pack_take_count(pack);
    Str *names = mem_alloc((*count + 1) * sizeof *names);
    for (uint32_t i = 0; i < *count; i++) names[i] = pack_take_text(pack);
    return names;
}

/* Gives both lists; the names lie in the row. */
static uint32_t take_targets(Pack *pack, Target **targets, Str **names) {
    uint32_t count = pack_take_count(pack);
    *targets = mem_zalloc((count + 1) * sizeof **targets);
    *names = mem_alloc((count + 1) * sizeof **names);
    for (uint32_t i = 0; i < count; i++) {
        Target *target = &(*targets)[i];
        (*names)[i] = pack_take_text(pack);
        target->message = (uint32_t)pack_take_number(pack);
        target->keep.is_durable = pack_take_number(pack) != 0;
        if (!target->keep.is_durable) continue;
        target->keep.events_max = (uint32_t)pack_take_number(pack);
        target->keep.bytes_max = (uint32_t)pack_take_number(pack);
        target->keep.ttl_ms = (uint32_t)pack_take_number(pack);
    }
    return count;
}

/* All are made, even of a row that is bad: a Notice is released whole. */
static void take_messages(Pack *pack, const MessageEncoder *encoders, Notice *notice) {
    for (uint32_t i = 0; i < notice->message_count; i++) {
        Buf name = BUF_NONE;
        Str event = pack_take_text(pack);
        Str attributes = pack_take_text(pack);
        bool has_ack = pack_take_number(pack) != 0;
        Str ack = pack_take_text(pack);
        if (!pack->is_bad) json_decode_string(event, &name);
        MessageSpec spec = {.event = buf_str(&name),
                            .attributes = attributes,
                            .ack = has_ack ? ack : STR_NONE,
                            .key = notice_key(notice, i),
                            .ends_ms = notice->ends_ms,
                            .has_id = true};
        message_init(&notice->messages[i], encoders, &spec);
        buf_deinit(&name);
    }
}

static bool is_sound(const Target *targets, uint32_t count, uint32_t message_count) {
    for (uint32_t i = 0; i < count; i++) {
        if (targets[i].message >= message_count) return false;
    }
    return count > 0 && (message_count == 1 || message_count == count);
}

static uint64_t end_of(uint64_t rest_ms, uint64_t age_ms) {
    if (rest_ms == 0) return 0;
    return rest_ms > age_ms ? clock_monotonic_ms() + rest_ms - age_ms : 1;
}

static uint64_t age_of(uint64_t at_ms) {
    uint64_t now_ms = (uint64_t)clock_wall_ms();
    return now_ms > at_ms ? now_ms - at_ms : 0;
}

/* NULL: the row is bad. */
static Notice *take_notice(Pack *pack, const MessageEncoder *encoders, NoticeSpec *spec) {
    Target *targets;
    Str *names;
    spec->target_count = take_targets(pack, &targets, &names);
    spec->message_count = pack_take_count(pack);
    spec->targets = names;
    Notice *notice = NULL;
    if (!pack->is_bad && is_sound(targets, spec->target_count, spec->message_count)) {
        notice = notice_new(spec);
        for (uint32_t i = 0; i < spec->target_count; i++) {
            notice->targets[i].message = targets[i].message;
            notice->targets[i].keep = targets[i].keep;
        }
        notice->is_kept = notice->is_durable = true;
        take_messages(pack, encoders, notice);
    }
    mem_free(targets);
    mem_free(names);
    return notice;
}

int notice_record_unpack(Str row, uint64_t position, const MessageEncoder *encoders,
                         const History *history, Notice **out, uint64_t *age_ms) {
    Pack pack = {row, false};
    NoticeSpec spec = {.kind = NOTICE_CHANNELS};
    *age_ms = age_of(pack_take_number(&pack));
    spec.is_efficient = pack_take_number(&pack) != 0;
    spec.ends_ms = end_of(pack_take_number(&pack), *age_ms);
    spec.key = pack_take_text(&pack);
    Str *except = take_names(&pack, &spec.except_count);
    Str *except_sessions = take_names(&pack, &spec.except_session_count);
    spec.except = except;
    spec.except_sessions = except_sessions;
    Notice *notice = take_notice(&pack, encoders, &spec);
    mem_free(except);
    mem_free(except_sessions);
    if (notice == NULL || !pack_is_whole(&pack)) {
        notice_release(notice);
        return ERR_INVALID;
    }
    notice->position = position;
    history_number(history, notice);
    *out = notice;
    return 0;
}
