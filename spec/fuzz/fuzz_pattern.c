/* SPDX-License-Identifier: Apache-2.0
 *
 * The input is a pattern, a NUL, and a text. It is searched with a limit of steps; what is found lies
 * within the text, and so do the captures.
 */
#include "base/ensure.h"
#include "script/pattern.h"

enum { STEPS_MAX = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_capture(const Pattern *self, const PatternCapture *capture) {
    ensure(capture->start >= self->text && capture->start <= self->text_end);
    if (capture->is_open || capture->is_position) return;
    ensure(capture->len <= (size_t)(self->text_end - capture->start));
}

static void check_match(const Pattern *self, const char *from, const char *at, const char *end) {
    ensure(at >= from && end >= at && end <= self->text_end);
    for (int i = 0; i < self->capture_count; i++) check_capture(self, &self->captures[i]);
}

/* All matches, one behind the other. */
static void search(Str pattern, Str text, bool has_anchor) {
    Pattern self;
    pattern_init(&self, text, pattern, has_anchor);
    self.steps_max = STEPS_MAX;
    const char *from = self.text;
    while (from <= self.text_end) {
        const char *end = NULL;
        const char *at = pattern_find(&self, from, &end);
        if (at == NULL) break;
        ensure(self.fault == PATTERN_GOOD && self.depth == 0);
        check_match(&self, from, at, end);
        from = end > at ? end : end + 1;
    }
    ensure(self.fault == PATTERN_GOOD || pattern_text(self.fault)[0] != '\0');
}

/* A pattern that means itself finds what is there. */
static void search_plain(Str pattern, Str text) {
    Pattern self;
    const char *end = NULL;
    pattern_init(&self, text, pattern, true);
    const char *at = pattern_find(&self, self.text, &end);
    const char *wanted = memmem(self.text, text.len, self.pattern, pattern.len);
    ensure(at == wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str pattern;
    Str text;
    str_split(str_make((const char *)data, size), '\0', &pattern, &text);
    search(pattern, text, true);
    search(pattern, text, false);
    bool has_end = memchr(pattern.data, ')', pattern.len) != NULL; /* string.find takes it for plain */
    if (pattern_is_plain(pattern) && !has_end) search_plain(pattern, text);
    return 0;
}
