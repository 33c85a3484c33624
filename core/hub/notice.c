/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/notice.h"

#include "base/map.h"
#include "base/mem.h"
#include "hub/subscriber.h"

static size_t sum_of(const Str *names, uint32_t count) {
    size_t sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += names[i].len;
    return sum;
}

static Str put(char **at, Str name) {
    Str copy = str_make(*at, name.len);
    if (name.len > 0) memcpy(*at, name.data, name.len);
    *at += name.len;
    return copy;
}

Notice *notice_new(const NoticeSpec *spec) {
    size_t arrays = spec->target_count * sizeof(Target) + spec->message_count * sizeof(Message) +
                    (spec->except_count + spec->except_session_count) * sizeof(Str);
    Notice *notice =
        mem_zalloc(sizeof *notice + arrays + sum_of(spec->targets, spec->target_count) +
                   sum_of(spec->except, spec->except_count) +
                   sum_of(spec->except_sessions, spec->except_session_count) + spec->key.len);
    atomic_init(&notice->refs, 1);
    notice->kind = spec->kind;
    notice->is_efficient = spec->is_efficient;
    notice->ends_ms = spec->ends_ms;
    notice->target_count = spec->target_count;
    notice->message_count = spec->message_count;
    notice->except_count = spec->except_count;
    notice->except_session_count = spec->except_session_count;
    notice->targets = (Target *)(void *)(notice + 1);
    notice->messages = (Message *)(void *)(notice->targets + spec->target_count);
    notice->except = (Str *)(void *)(notice->messages + spec->message_count);
    notice->except_sessions = notice->except + spec->except_count;
    char *at = (char *)(notice->except_sessions + spec->except_session_count);
    for (uint32_t i = 0; i < spec->target_count; i++) {
        notice->targets[i].name = put(&at, spec->targets[i]);
    }
    for (uint32_t i = 0; i < spec->except_count; i++) notice->except[i] = put(&at, spec->except[i]);
    for (uint32_t i = 0; i < spec->except_session_count; i++) {
        notice->except_sessions[i] = put(&at, spec->except_sessions[i]);
    }
    for (uint32_t i = 0; i < spec->message_count; i++) notice->messages[i].notice = notice;
    notice->key = put(&at, spec->key);
    return notice;
}

/* A message is for all targets, or each for the one of its index. */
uint64_t notice_key(const Notice *notice, uint32_t message) {
    if (notice->key.len == 0) return 0;
    uint64_t key = map_hash(notice->key) * 31 + notice->kind + 1;
    if (notice->message_count > 1) return key + map_hash(notice->targets[message].name);
    for (uint32_t i = 0; i < notice->target_count; i++) key += map_hash(notice->targets[i].name);
    return key;
}

void notice_keep(Notice *notice, const RetentionRules *rules) {
    if (rules->count == 0 || notice->kind != NOTICE_CHANNELS) return;
    for (uint32_t i = 0; i < notice->target_count; i++) {
        const Retention *keep = retention_find(rules, notice->targets[i].name);
        if (keep == NULL || keep->events_max == 0) continue;
        notice->targets[i].keep = *keep;
        notice->is_kept = true;
        if (keep->is_durable) notice->is_durable = true;
    }
}

static Str client_of(Str id) {
    return str_make(id.data, id.len < SUBSCRIBER_CLIENT_LEN ? id.len : SUBSCRIBER_CLIENT_LEN);
}

bool notice_excepts_session(const Notice *notice, Str id) {
    for (uint32_t i = 0; i < notice->except_session_count; i++) {
        if (str_equal(client_of(notice->except_sessions[i]), client_of(id))) return true;
    }
    return false;
}

Notice *notice_retain(Notice *notice) {
    atomic_fetch_add_explicit(&notice->refs, 1, memory_order_relaxed);
    return notice;
}

void notice_release(Notice *notice) {
    if (notice == NULL) return;
    /* acq_rel: the last owner frees only after every other owner's reads. */
    if (atomic_fetch_sub_explicit(&notice->refs, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < notice->message_count; i++) message_deinit(&notice->messages[i]);
    mem_free(notice);
}
