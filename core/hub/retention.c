/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/retention.h"

#include "base/mem.h"
#include "base/pack.h"

void retention_init(RetentionRules *rules) {
    *rules = (RetentionRules){.rules = NULL};
}

void retention_deinit(RetentionRules *rules) {
    for (uint32_t i = 0; i < rules->count; i++) mem_free(rules->rules[i].pattern);
    mem_free(rules->rules);
    retention_init(rules);
}

static uint32_t weight_of(Str pattern) {
    uint32_t weight = 0;
    for (size_t i = 0; i < pattern.len; i++) weight += pattern.data[i] != '*';
    return weight;
}

void retention_add(RetentionRules *rules, Str pattern, const Retention *retention) {
    RetentionRule rule = {.pattern = mem_copy(pattern.data, pattern.len),
                          .pattern_len = (uint32_t)pattern.len,
                          .weight = weight_of(pattern),
                          .retention = *retention};
    uint32_t at = 0;
    while (at < rules->count && rules->rules[at].weight > rule.weight) at++;
    rules->rules = mem_grow(rules->rules, rules->count + 1, sizeof rule);
    memmove(rules->rules + at + 1, rules->rules + at, (rules->count - at) * sizeof rule);
    rules->rules[at] = rule;
    rules->count++;
}

/* Goes back to the last `*` only, which is enough, so its time is at most the product of the lengths. */
static bool matches(Str pattern, Str text) {
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;
    size_t resume = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && pattern.data[p] == text.data[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*') p++;
    return p == pattern.len;
}

static Str pattern_of(const RetentionRule *rule) {
    return str_make(rule->pattern, rule->pattern_len);
}

const Retention *retention_find(const RetentionRules *rules, Str channel) {
    for (uint32_t i = 0; i < rules->count; i++) {
        const RetentionRule *rule = &rules->rules[i];
        if (matches(pattern_of(rule), channel)) return &rule->retention;
    }
    return NULL;
}

void retention_pack(const RetentionRules *rules, Buf *row) {
    pack_add_number(row, rules->since);
    pack_add_number(row, rules->count);
    for (uint32_t i = 0; i < rules->count; i++) {
        pack_add_text(row, pattern_of(&rules->rules[i]));
        pack_add_number(row, rules->rules[i].retention.is_durable);
        pack_add_number(row, rules->rules[i].since);
    }
}

int retention_unpack(Str row, RetentionRules *rules) {
    Pack pack = {row, false};
    RetentionRules found = {.since = pack_take_number(&pack)};
    found.count = pack_take_count(&pack);
    found.rules = mem_zalloc((found.count + 1) * sizeof *found.rules);
    for (uint32_t i = 0; i < found.count; i++) {
        RetentionRule *rule = &found.rules[i];
        Str pattern = pack_take_text(&pack);
        rule->pattern = mem_copy(pattern.data, pattern.len);
        rule->pattern_len = (uint32_t)pattern.len;
        rule->weight = weight_of(pattern);
        rule->retention.is_durable = pack_take_number(&pack) != 0;
        rule->since = pack_take_number(&pack);
    }
    if (!pack_is_whole(&pack)) {
        retention_deinit(&found);
        return ERR_INVALID;
    }
    *rules = found;
    return 0;
}

bool retention_has_durable(const RetentionRules *rules) {
    for (uint32_t i = 0; i < rules->count; i++) {
        if (rules->rules[i].retention.is_durable) return true;
    }
    return false;
}

uint64_t retention_since(const RetentionRules *rules, Str channel) {
    uint64_t since = rules->since;
    for (uint32_t i = 0; i < rules->count; i++) {
        const RetentionRule *rule = &rules->rules[i];
        if (rule->since > since && matches(pattern_of(rule), channel)) since = rule->since;
    }
    return since;
}

static const RetentionRule *find_pattern(const RetentionRules *rules, Str pattern) {
    for (uint32_t i = 0; i < rules->count; i++) {
        if (str_equal(pattern_of(&rules->rules[i]), pattern)) return &rules->rules[i];
    }
    return NULL;
}

/* What a rule hid that is gone now is not known. */
static bool has_lost(const RetentionRules *rules, const RetentionRules *before) {
    for (uint32_t i = 0; i < before->count; i++) {
        if (find_pattern(rules, pattern_of(&before->rules[i])) == NULL) return true;
    }
    return false;
}

bool retention_follow(RetentionRules *rules, const RetentionRules *before, uint64_t sequence) {
    bool is_new = has_lost(rules, before);
    bool has_new = is_new;
    rules->since = is_new ? sequence : before->since;
    for (uint32_t i = 0; i < rules->count; i++) {
        RetentionRule *rule = &rules->rules[i];
        const RetentionRule *like = is_new ? NULL : find_pattern(before, pattern_of(rule));
        if (like != NULL && like->retention.is_durable != rule->retention.is_durable) like = NULL;
        if (like == NULL) has_new = true;
        rule->since = like != NULL ? like->since : sequence;
    }
    return has_new;
}

void retention_weaken(RetentionRules *rules, const RetentionRules *before) {
    bool is_new = has_lost(rules, before);
    for (uint32_t i = 0; i < rules->count; i++) {
        RetentionRule *rule = &rules->rules[i];
        const RetentionRule *like = is_new ? NULL : find_pattern(before, pattern_of(rule));
        if (like == NULL || !like->retention.is_durable) rule->retention.is_durable = false;
    }
}
