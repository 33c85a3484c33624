/* SPDX-License-Identifier: Apache-2.0
 *
 * retention: which channels keep history, and how much of it: a list of patterns. A `*` in a pattern
 * stands for any characters; of several patterns that match, the one with the most other characters
 * counts, among equals the later one. Each Lua state has a list of its own, as its plugins say. One
 * thread.
 */
#ifndef HUB_RETENTION_H
#define HUB_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* What a channel keeps; all zero: nothing. */
typedef struct Retention {
    uint32_t events_max;
    uint32_t bytes_max;
    uint32_t ttl_ms;
    bool is_durable; /* a restart does not end it: snapshot.h */
} Retention;

typedef struct RetentionRule {
    char *pattern;
    uint32_t pattern_len;
    uint32_t weight; /* characters that are no `*` */
    Retention retention;
} RetentionRule;

typedef struct RetentionRules {
    RetentionRule *rules; /* the weightiest first */
    uint32_t count;
} RetentionRules;

void retention_init(RetentionRules *rules);
void retention_deinit(RetentionRules *rules);
void retention_add(RetentionRules *rules, Str pattern, const Retention *retention); /* copies */

/* What the channel keeps. Borrows from the list; NULL: nothing. */
const Retention *retention_find(const RetentionRules *rules, Str channel);

#endif
