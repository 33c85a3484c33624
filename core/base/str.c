/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool str_equal_nocase(Str a, Str b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) return false;
    }
    return true;
}

int str_compare(Str a, Str b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order != 0) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_has_prefix(Str text, Str prefix) {
    return text.len >= prefix.len && str_equal(str_make(text.data, prefix.len), prefix);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

Str str_trim(Str text) {
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1])) text.len--;
    return text;
}

bool str_split(Str text, char separator, Str *head, Str *tail) {
    const char *at = text.len ? memchr(text.data, separator, text.len) : NULL;
    if (at == NULL) {
        *head = text;
        *tail = STR_NONE;
        return false;
    }
    size_t before = (size_t)(at - text.data);
    *head = str_make(text.data, before);
    *tail = str_make(at + 1, text.len - before - 1);
    return true;
}
