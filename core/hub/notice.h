/* SPDX-License-Identifier: Apache-2.0
 *
 * notice: what one notify emits: to which channels or users, which message for each, and who is left
 * out. Made whole by the worker that was asked, then read by all workers, never changed. Counted, the
 * count is atomic: one reference per inbox it lies in.
 */
#ifndef HUB_NOTICE_H
#define HUB_NOTICE_H

#include <stdatomic.h>
#include <stdint.h>

#include "hub/message.h"

typedef enum { NOTICE_CHANNELS, NOTICE_USERS } NoticeKind;

typedef struct Target {
    Str name;         /* the channel or user */
    uint32_t message; /* index into messages */
} Target;

typedef struct Notice {
    atomic_uint_least32_t refs;
    NoticeKind kind;
    bool is_efficient; /* each session gets it once, by the first target that reaches it */
    uint32_t target_count;
    uint32_t message_count;
    uint32_t except_count;
    Target *targets; /* in request order; all four arrays lie in the block of the Notice */
    Message *messages;
    Str *except; /* users that get nothing */
} Notice;

typedef struct NoticeSpec {
    NoticeKind kind;
    bool is_efficient;
    const Str *targets; /* borrowed, copied; so is except */
    uint32_t target_count;
    const Str *except;
    uint32_t except_count;
    uint32_t message_count;
} NoticeSpec;

/* Makes a Notice with copies of the names and room for the messages, which the caller fills by
 * message_init before anybody else sees it. Every target's message index starts as 0. Gives. */
Notice *notice_new(const NoticeSpec *spec);
Notice *notice_retain(Notice *notice);
void notice_release(Notice *notice);

#endif
