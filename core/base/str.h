/* SPDX-License-Identifier: Apache-2.0
 *
 * str: a borrowed run of bytes: pointer and length, not NUL-terminated, valid for the call in which
 * it was handed over. Whoever keeps it copies it on that very line. Passed by value. Any thread.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct Str {
    const char *data; /* NULL only when len is 0 */
    size_t len;       /* bytes */
} Str;

/* A Str of a string literal, and the empty one. */
#define STR(literal) ((Str){"" literal, sizeof(literal) - 1})
#define STR_NONE ((Str){NULL, 0})

/* For printf's "%.*s". */
#define STR_ARG(str) (int)(str).len, (str).data

static inline Str str_of(const char *text) {
    return (Str){text, text ? strlen(text) : 0};
}

static inline Str str_make(const char *data, size_t len) {
    return (Str){data, len};
}

static inline bool str_equal(Str a, Str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Equal but for the case of ASCII letters. */
bool str_equal_nocase(Str a, Str b);

/* Byte order; a prefix comes before what it begins. <0, 0, >0 as memcmp. */
int str_compare(Str a, Str b);

bool str_has_prefix(Str text, Str prefix);

/* Without blanks (space, tab, CR, LF) at both ends. */
Str str_trim(Str text);

/* Splits at the first `separator`: true gives what is before and after it; false gives all as
 * `head` and an empty `tail`. */
bool str_split(Str text, char separator, Str *head, Str *tail);

#endif
