/* SPDX-License-Identifier: Apache-2.0
 *
 * pattern: Lua's patterns (manual, 6.4.1), matched in a bounded number of steps. Unlike those of Lua's own
 * library a search can be stopped: one with `.-` upon `.-` may take longer than anybody lives. Knows no
 * Lua. Any thread.
 */
#ifndef SCRIPT_PATTERN_H
#define SCRIPT_PATTERN_H

#include <signal.h>
#include <stdint.h>

#include "base/str.h"

enum { PATTERN_CAPTURES_MAX = 32 };

typedef enum {
    PATTERN_GOOD,
    PATTERN_ENDS_WITH_ESCAPE,
    PATTERN_SET_OPEN,
    PATTERN_BALANCE_SHORT,
    PATTERN_FRONTIER_SHORT,
    PATTERN_CAPTURE_NONE, /* `)` that closes none */
    PATTERN_CAPTURES_MANY,
    PATTERN_REFERENCE_WRONG, /* %1 without such a capture; pattern_text is a format with its number */
    PATTERN_TOO_DEEP,
    PATTERN_TOO_COSTLY,
    PATTERN_STOPPED
} PatternFault;

typedef struct PatternCapture {
    const char *start;
    size_t len;
    bool is_open;     /* at the end of a match: its `)` is missing */
    bool is_position; /* of `()` */
} PatternCapture;

/* A search under way. Text and pattern are borrowed. */
typedef struct Pattern {
    const char *text;
    const char *text_end;
    const char *pattern; /* behind `^`, if that is an anchor */
    const char *pattern_end;
    const volatile sig_atomic_t *stop; /* may be NULL; it stops when this is set */
    uint64_t steps;                    /* so far */
    uint64_t steps_max;
    bool is_anchored;
    int depth;
    PatternFault fault;
    int reference; /* that was wrong */
    int capture_count;
    PatternCapture captures[PATTERN_CAPTURES_MAX];
} Pattern;

/* `has_anchor`: a `^` at the start is one. */
void pattern_init(Pattern *self, Str text, Str pattern, bool has_anchor);

/* The end of what matches at this place of the text; NULL when nothing does, or with a fault. */
const char *pattern_match(Pattern *self, const char *at);

/* The first place from `at` on where it matches, and the end of that; NULL as above. */
const char *pattern_find(Pattern *self, const char *at, const char **end);

/* What a fault means, as text. */
const char *pattern_text(PatternFault fault);

/* Whether a pattern means itself, byte for byte. */
bool pattern_is_plain(Str pattern);

#endif
