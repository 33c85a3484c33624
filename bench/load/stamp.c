/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

#include "base/text.h"

enum { PUBLISHER_DIGITS = 3, NUMBER_DIGITS = 8, TIME_DIGITS = 16 };

#define EVENT_HEAD "{\"event\":\"bench\",\"attributes\":"
#define KEY "\"bench\":\""
#define PAD ",\"pad\":\""

enum {
    KEY_LEN = sizeof KEY - 1,
    STAMP_LEN = PUBLISHER_DIGITS + 1 + NUMBER_DIGITS + 1 + TIME_DIGITS,
    ATTRIBUTES_MIN = 1 + KEY_LEN + STAMP_LEN + 1 + (sizeof PAD - 1) + 1 + 1,
    EVENT_MIN = sizeof EVENT_HEAD - 1 + ATTRIBUTES_MIN + 1
};

static void add_hex(Buf *out, uint64_t value, int digits) {
    char text[TIME_DIGITS];
    for (int i = digits - 1; i >= 0; i--) {
        text[i] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
    buf_add(out, str_make(text, (size_t)digits));
}

static void add_padding(Buf *out, size_t len) {
    buf_reserve(out, len);
    memset(out->data + out->len, 'x', len);
    out->len += len;
}

void stamp_add_attributes(Buf *out, const Stamp *stamp, size_t event_bytes) {
    buf_add(out, STR("{" KEY));
    add_hex(out, stamp->publisher, PUBLISHER_DIGITS);
    buf_add_char(out, '.');
    add_hex(out, stamp->number, NUMBER_DIGITS);
    buf_add_char(out, '.');
    add_hex(out, stamp->sent_ns, TIME_DIGITS);
    buf_add(out, STR("\"" PAD));
    add_padding(out, event_bytes > EVENT_MIN ? event_bytes - EVENT_MIN : 0);
    buf_add(out, STR("\"}"));
}

void stamp_add_event(Buf *out, const Stamp *stamp, size_t event_bytes) {
    buf_add(out, STR(EVENT_HEAD));
    stamp_add_attributes(out, stamp, event_bytes);
    buf_add_char(out, '}');
}

size_t stamp_event_min(void) {
    return EVENT_MIN;
}

static uint64_t read_hex(const char *text, int digits) {
    uint64_t value = 0;
    for (int i = 0; i < digits; i++) value = value << 4 | (uint64_t)(text_hex_digit(text[i]) & 15);
    return value;
}

bool stamp_take(Str *text, Stamp *stamp) {
    const char *at = text->len ? memmem(text->data, text->len, KEY, KEY_LEN) : NULL;
    const char *end = text->data + text->len;
    if (at == NULL || (size_t)(end - at) < KEY_LEN + STAMP_LEN) return false;
    at += KEY_LEN;
    stamp->publisher = (uint32_t)read_hex(at, PUBLISHER_DIGITS);
    at += PUBLISHER_DIGITS + 1;
    stamp->number = (uint32_t)read_hex(at, NUMBER_DIGITS);
    at += NUMBER_DIGITS + 1;
    stamp->sent_ns = read_hex(at, TIME_DIGITS);
    at += TIME_DIGITS;
    *text = str_make(at, (size_t)(end - at));
    return true;
}
