/* SPDX-License-Identifier: Apache-2.0
 *
 * A pattern is a row of items: a single character (a class) with or without a repetition, a capture's
 * parenthesis, %1, %b, %f. run() goes along the row; where there is a choice (how often, with or without)
 * it calls itself for the rest and, if that fails, tries the next one.
 */
#include "script/pattern.h"

#include <ctype.h>

enum { DEPTH_MAX = 200, SET_BYTES_PER_STEP = 16 };

static const char *run(Pattern *self, const char *at, const char *item);

static const char *fail(Pattern *self, PatternFault fault) {
    if (self->fault == PATTERN_GOOD) self->fault = fault;
    return NULL;
}

/* Whether one more step may be taken. */
static inline bool may_go_on(Pattern *self) {
    if (++self->steps > self->steps_max) {
        fail(self, PATTERN_TOO_COSTLY);
        return false;
    }
    if (self->stop != NULL && *self->stop) {
        fail(self, PATTERN_STOPPED);
        return false;
    }
    return true;
}

static unsigned char byte_of(const char *at) {
    return (unsigned char)*at;
}

/* %a and the like; any other character behind % is itself. */
static bool is_in_class(unsigned char c, unsigned char name) {
    bool is_in;
    switch (tolower(name)) {
    case 'a': is_in = isalpha(c); break;
    case 'c': is_in = iscntrl(c); break;
    case 'd': is_in = isdigit(c); break;
    case 'g': is_in = isgraph(c); break;
    case 'l': is_in = islower(c); break;
    case 'p': is_in = ispunct(c); break;
    case 's': is_in = isspace(c); break;
    case 'u': is_in = isupper(c); break;
    case 'w': is_in = isalnum(c); break;
    case 'x': is_in = isxdigit(c); break;
    case 'z': is_in = c == '\0'; break; /* of older versions, and still there */
    default: return c == name;
    }
    return isupper(name) ? !is_in : is_in;
}

/* The place behind the set that begins with `[` here. A `]` that comes first is one of its members. */
static const char *end_of_set(Pattern *self, const char *item) {
    const char *end = self->pattern_end;
    const char *at = item + 1;
    if (at < end && *at == '^') at++;
    for (const char *first = at; at < end; at++) {
        if (*at == ']' && at > first) return at + 1;
        if (*at == '%' && ++at == end) break;
    }
    return fail(self, PATTERN_SET_OPEN);
}

/* The place behind the single character class that begins here. */
static const char *end_of_class(Pattern *self, const char *item) {
    if (*item == '[') return end_of_set(self, item);
    if (*item != '%') return item + 1;
    if (item + 1 == self->pattern_end) return fail(self, PATTERN_ENDS_WITH_ESCAPE);
    return item + 2;
}

/* `last` is the `]`. */
static bool is_in_set(unsigned char c, const char *item, const char *last) {
    const char *at = item + 1;
    bool is_complement = *at == '^';
    if (is_complement) at++;
    for (; at < last; at++) {
        if (*at == '%') {
            at++;
            if (is_in_class(c, byte_of(at))) return !is_complement;
        } else if (at + 2 < last && at[1] == '-') {
            if (byte_of(at) <= c && c <= byte_of(at + 2)) return !is_complement;
            at += 2;
        } else if (byte_of(at) == c) {
            return !is_complement;
        }
    }
    return is_complement;
}

static bool is_in_item(unsigned char c, const char *item, const char *end) {
    switch (*item) {
    case '.': return true;
    case '%': return is_in_class(c, byte_of(item + 1));
    case '[': return is_in_set(c, item, end - 1);
    default: return byte_of(item) == c;
    }
}

static bool takes(const Pattern *self, const char *at, const char *item, const char *end) {
    return at < self->text_end && is_in_item(byte_of(at), item, end);
}

/* What it takes, beside the step itself, to look whether a character is in a class: a set may be as long as
 * a text. */
static uint64_t steps_of(const char *item, const char *end) {
    return (uint64_t)(end - item) / SET_BYTES_PER_STEP;
}

/* As often as can be, then less. */
static const char *run_longest(Pattern *self, const char *at, const char *item, const char *end) {
    const char *last = at;
    uint64_t extra = steps_of(item, end);
    while (takes(self, last, item, end)) {
        last++;
        self->steps += extra;
        if (extra > 0 && !may_go_on(self)) return NULL;
    }
    self->steps += (uint64_t)(last - at);
    for (;; last--) {
        const char *found = run(self, last, end + 1);
        if (found != NULL || self->fault != PATTERN_GOOD) return found;
        if (last == at) return NULL;
    }
}

static const char *run_shortest(Pattern *self, const char *at, const char *item, const char *end) {
    for (;; at++) {
        const char *found = run(self, at, end + 1);
        if (found != NULL || self->fault != PATTERN_GOOD) return found;
        if (!takes(self, at, item, end)) return NULL;
        self->steps += steps_of(item, end);
    }
}

static const char *run_capture(Pattern *self, const char *at, const char *item) {
    if (self->capture_count == PATTERN_CAPTURES_MAX) return fail(self, PATTERN_CAPTURES_MANY);
    bool is_position = item + 1 < self->pattern_end && item[1] == ')';
    self->captures[self->capture_count++] =
        (PatternCapture){.start = at, .is_open = !is_position, .is_position = is_position};
    const char *found = run(self, at, item + (is_position ? 2 : 1));
    if (found == NULL) self->capture_count--;
    return found;
}

static const char *run_capture_end(Pattern *self, const char *at, const char *item) {
    int i = self->capture_count - 1;
    while (i >= 0 && !self->captures[i].is_open) i--;
    if (i < 0) return fail(self, PATTERN_CAPTURE_NONE);
    self->captures[i].is_open = false;
    self->captures[i].len = (size_t)(at - self->captures[i].start);
    const char *found = run(self, at, item + 1);
    if (found == NULL) self->captures[i].is_open = true;
    return found;
}

/* %bxy: from an x to the y that balances it. */
static const char *skip_balance(Pattern *self, const char *at, const char *item) {
    if (self->pattern_end - item < 4) return fail(self, PATTERN_BALANCE_SHORT);
    char opening = item[2];
    char closing = item[3];
    if (at == self->text_end || *at != opening) return NULL;
    size_t open = 1;
    for (at++; at < self->text_end; at++) {
        if (!may_go_on(self)) return NULL;
        if (*at == closing) {
            if (--open == 0) return at + 1;
        } else if (*at == opening) {
            open++;
        }
    }
    return NULL;
}

/* The place behind %f[set] in the pattern, when the text has such a frontier here. */
static const char *skip_frontier(Pattern *self, const char *at, const char *item) {
    const char *set = item + 2;
    if (set == self->pattern_end || *set != '[') return fail(self, PATTERN_FRONTIER_SHORT);
    const char *end = end_of_set(self, set);
    if (end == NULL) return NULL;
    self->steps += steps_of(set, end);
    unsigned char before = at == self->text ? '\0' : byte_of(at - 1);
    unsigned char here = at == self->text_end ? '\0' : byte_of(at);
    return !is_in_set(before, set, end - 1) && is_in_set(here, set, end - 1) ? end : NULL;
}

/* %1: the same again as the capture has. */
static const char *skip_reference(Pattern *self, const char *at, const char *item) {
    int number = item[1] - '0';
    if (number < 1 || number > self->capture_count || self->captures[number - 1].is_open) {
        self->reference = number;
        return fail(self, PATTERN_REFERENCE_WRONG);
    }
    const PatternCapture *capture = &self->captures[number - 1];
    if (capture->is_position || (size_t)(self->text_end - at) < capture->len) return NULL;
    self->steps += capture->len / 16;
    return memcmp(at, capture->start, capture->len) == 0 ? at + capture->len : NULL;
}

/* Whether the rest fits without a choice: then *at and *item are behind what fitted. Else *found is the
 * result. */
static bool step_class(Pattern *self, const char **at, const char **item, const char **found) {
    const char *end = end_of_class(self, *item);
    *found = NULL;
    if (end == NULL) return false;
    self->steps += steps_of(*item, end);
    char suffix = '\0';
    if (end < self->pattern_end) suffix = *end;
    bool fits = takes(self, *at, *item, end);
    switch (suffix) {
    case '*': *found = run_longest(self, *at, *item, end); return false;
    case '-': *found = run_shortest(self, *at, *item, end); return false;
    case '+':
        if (fits) *found = run_longest(self, *at + 1, *item, end);
        return false;
    case '?':
        if (fits) *found = run(self, *at + 1, end + 1);
        if (*found != NULL || self->fault != PATTERN_GOOD) return false;
        *item = end + 1;
        return true;
    default:
        if (!fits) return false;
        ++*at;
        *item = end;
        return true;
    }
}

/* As step_class, for what begins with %. */
static bool step_escape(Pattern *self, const char **at, const char **item, const char **found) {
    char kind = '\0';
    if (*item + 1 < self->pattern_end) kind = (*item)[1];
    *found = NULL;
    if (kind == 'f') {
        const char *next = skip_frontier(self, *at, *item);
        if (next != NULL) *item = next;
        return next != NULL;
    }
    if (kind != 'b' && !isdigit((unsigned char)kind)) return step_class(self, at, item, found);
    const char *next = kind == 'b' ? skip_balance(self, *at, *item) : skip_reference(self, *at, *item);
    if (next == NULL) return false;
    *item += kind == 'b' ? 4 : 2;
    *at = next;
    return true;
}

static const char *run_items(Pattern *self, const char *at, const char *item) {
    const char *found = NULL;
    while (item < self->pattern_end) {
        if (!may_go_on(self)) return NULL;
        switch (*item) {
        case '(': return run_capture(self, at, item);
        case ')': return run_capture_end(self, at, item);
        case '$':
            if (item + 1 == self->pattern_end) return at == self->text_end ? at : NULL;
            if (!step_class(self, &at, &item, &found)) return found;
            break;
        case '%':
            if (!step_escape(self, &at, &item, &found)) return found;
            break;
        default:
            if (!step_class(self, &at, &item, &found)) return found;
        }
    }
    return at;
}

static const char *run(Pattern *self, const char *at, const char *item) {
    if (self->depth == DEPTH_MAX) return fail(self, PATTERN_TOO_DEEP);
    self->depth++;
    const char *found = run_items(self, at, item);
    self->depth--;
    return found;
}

void pattern_init(Pattern *self, Str text, Str pattern, bool has_anchor) {
    static const char nothing[] = "";
    self->text = text.data != NULL ? text.data : nothing;
    self->text_end = self->text + text.len;
    self->pattern = pattern.data != NULL ? pattern.data : nothing;
    self->pattern_end = self->pattern + pattern.len;
    self->is_anchored = has_anchor && pattern.len > 0 && *pattern.data == '^';
    if (self->is_anchored) self->pattern++;
    self->stop = NULL;
    self->steps = 0;
    self->steps_max = UINT64_MAX;
    self->depth = 0;
    self->fault = PATTERN_GOOD;
    self->reference = 0;
    self->capture_count = 0;
}

const char *pattern_match(Pattern *self, const char *at) {
    self->capture_count = 0;
    return run(self, at, self->pattern);
}

/* The character that every match begins with; -1 when there is no such. */
static int first_character(const Pattern *self) {
    const char *item = self->pattern;
    if (item == self->pattern_end || strchr("^$()%.[", *item) != NULL) return -1;
    if (item + 1 < self->pattern_end && strchr("*?-", item[1]) != NULL) return -1;
    return byte_of(item);
}

const char *pattern_find(Pattern *self, const char *at, const char **end) {
    int first = self->is_anchored ? -1 : first_character(self);
    for (;; at++) {
        if (first >= 0) {
            size_t left = (size_t)(self->text_end - at);
            at = left > 0 ? memchr(at, first, left) : NULL;
            if (at == NULL) return NULL;
        }
        *end = pattern_match(self, at);
        if (*end != NULL) return at;
        if (self->fault != PATTERN_GOOD || self->is_anchored || at == self->text_end) return NULL;
    }
}

const char *pattern_text(PatternFault fault) {
    static const char *const texts[] = {
        [PATTERN_GOOD] = "",
        [PATTERN_ENDS_WITH_ESCAPE] = "malformed pattern (ends with '%')",
        [PATTERN_SET_OPEN] = "malformed pattern (missing ']')",
        [PATTERN_BALANCE_SHORT] = "malformed pattern (missing arguments to '%b')",
        [PATTERN_FRONTIER_SHORT] = "missing '[' after '%f' in pattern",
        [PATTERN_CAPTURE_NONE] = "invalid pattern capture",
        [PATTERN_CAPTURES_MANY] = "too many captures",
        [PATTERN_REFERENCE_WRONG] = "invalid capture index %%%d",
        [PATTERN_TOO_DEEP] = "pattern too complex",
        [PATTERN_TOO_COSTLY] = "the pattern takes too many steps on this text",
        [PATTERN_STOPPED] = "stopped",
    };
    return texts[fault];
}

bool pattern_is_plain(Str pattern) {
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.data[i] != '\0' && strchr("^$*+?.([%-", pattern.data[i]) != NULL) return false;
    }
    return true;
}
