/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/retention.h"

#include "base/mem.h"

void retention_init(RetentionRules *rules) {
    *rules = (RetentionRules){NULL, 0};
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
    RetentionRule rule = {mem_copy(pattern.data, pattern.len), (uint32_t)pattern.len,
                          weight_of(pattern), *retention};
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

const Retention *retention_find(const RetentionRules *rules, Str channel) {
    for (uint32_t i = 0; i < rules->count; i++) {
        const RetentionRule *rule = &rules->rules[i];
        if (matches(str_make(rule->pattern, rule->pattern_len), channel)) return &rule->retention;
    }
    return NULL;
}
