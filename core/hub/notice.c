/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/notice.h"

#include "base/mem.h"

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

Notice *notice_new(NoticeKind kind, bool is_efficient, const Str *targets, uint32_t target_count,
                   const Str *except, uint32_t except_count, uint32_t message_count) {
    size_t arrays = target_count * sizeof(Target) + message_count * sizeof(Message) +
                    except_count * sizeof(Str);
    Notice *notice = mem_zalloc(sizeof *notice + arrays + sum_of(targets, target_count) +
                                sum_of(except, except_count));
    atomic_init(&notice->refs, 1);
    notice->kind = kind;
    notice->is_efficient = is_efficient;
    notice->target_count = target_count;
    notice->message_count = message_count;
    notice->except_count = except_count;
    notice->targets = (Target *)(void *)(notice + 1);
    notice->messages = (Message *)(void *)(notice->targets + target_count);
    notice->except = (Str *)(void *)(notice->messages + message_count);
    char *at = (char *)(notice->except + except_count);
    for (uint32_t i = 0; i < target_count; i++) notice->targets[i].name = put(&at, targets[i]);
    for (uint32_t i = 0; i < except_count; i++) notice->except[i] = put(&at, except[i]);
    return notice;
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
