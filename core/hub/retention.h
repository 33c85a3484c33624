/* SPDX-License-Identifier: Apache-2.0
 *
 * retention: which channels keep history, and how much of it: a list of patterns. A `*` in a pattern
 * stands for any characters; of several patterns that match, the one with the most other characters
 * counts, among equals the later one. Each Lua state has a list of its own, as its plugins say. The Journal
 * has one that it keeps in the store, to know later which channels were durable, and since when. One thread.
 */
#ifndef HUB_RETENTION_H
#define HUB_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* What a channel keeps; all zero: nothing. */
typedef struct Retention {
    uint32_t events_max;
    uint32_t bytes_max;
    uint32_t ttl_ms;
    bool is_durable; /* what is kept outlives the process: journal.h */
} Retention;

typedef struct RetentionRule {
    char *pattern;
    uint32_t pattern_len;
    uint32_t weight; /* characters that are no `*` */
    uint64_t since;  /* the sequence from which on it is as it is; the Journal's */
    Retention retention;
} RetentionRule;

typedef struct RetentionRules {
    RetentionRule *rules; /* the weightiest first */
    uint32_t count;
    uint64_t since; /* the sequence at which one was taken away last; the Journal's */
} RetentionRules;

void retention_init(RetentionRules *rules);
void retention_deinit(RetentionRules *rules);
void retention_add(RetentionRules *rules, Str pattern, const Retention *retention); /* copies */

/* What the channel keeps. Borrows from the list; NULL: nothing. */
const Retention *retention_find(const RetentionRules *rules, Str channel);

/* --- the Journal's list: only whether a channel is durable, and since when --- */

void retention_pack(const RetentionRules *rules, Buf *row);
WARN_UNUSED int retention_unpack(Str row, RetentionRules *rules); /* gives; ERR_INVALID */
bool retention_has_durable(const RetentionRules *rules);

/* The sequence from which on the rules for the channel are as they are, also that it has none. */
uint64_t retention_since(const RetentionRules *rules, Str channel);

/* `rules` take the place of `before` from this sequence on: those that are in both go on, unless one is gone.
 * False: nothing changes. */
bool retention_follow(RetentionRules *rules, const RetentionRules *before, uint64_t sequence);

/* While both may be in force: durable is only what is so by either. */
void retention_weaken(RetentionRules *rules, const RetentionRules *before);

#endif
