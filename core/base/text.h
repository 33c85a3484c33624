/* SPDX-License-Identifier: Apache-2.0
 *
 * text: reading what clients write: whole numbers, percent-encoding, UTF-8. Strict: the whole text
 * must fit the form. Any thread.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <endian.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { TEXT_UTF8_MAX = 4 /* bytes of the longest sequence */, TEXT_NUMBER_MAX = 20 /* digits */ };

/* Decimal digits and nothing else. ERR_INVALID, or ERR_LIMIT beyond INT64_MAX. */
WARN_UNUSED int text_parse_number(Str text, int64_t *number);

/* Writes the decimal digits; how many. */
size_t text_encode_number(uint64_t number, char out[TEXT_NUMBER_MAX]);

/* The value of a hexadecimal digit, -1 when it is none. */
int text_hex_digit(char c);

/* Percent-decodes (RFC 3986 2.1); with `plus_is_space` also '+' as forms do. Appends to `out`, any
 * bytes: whoever wants text checks the result. ERR_INVALID for a broken escape; `out` then holds
 * the part before it. */
WARN_UNUSED int text_percent_decode(Str text, bool plus_is_space, Buf *out);

/* True when the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool text_is_utf8(Str text);

/* The length of the UTF-8 sequence at the start of `text`, 0 when it is none. Unicode 3.9, table
 * 3-7: the lead byte tells the length and the range of the second byte. */
static inline size_t text_utf8_len(Str text) {
    if (text.len == 0) return 0;
    const unsigned char *bytes = (const unsigned char *)text.data;
    unsigned char lead = bytes[0];
    if (lead < 0x80) return 1;
    size_t len = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.len < len) return 0;
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < low || bytes[1] > high) return 0;
    for (size_t i = 2; i < len; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0;
    }
    return len;
}

/* How many bytes stand before the first that is below `low` (of ASCII), DEL, or, with `is_ascii`, not ASCII. Eight at
 * a time, so of the last seven it may leave some that it could count. Each byte that is to stop it gets its highest
 * bit set, and perhaps some behind that one (https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord). */
static inline size_t text_skip_plain(const unsigned char *bytes, size_t len, unsigned char low,
                                     bool is_ascii) {
    const uint64_t ones = UINT64_MAX / 0xFF;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        word = le64toh(word);
        uint64_t deletes = word ^ ones * 0x7F;
        uint64_t marks = ((word - ones * low) & ~word) | ((deletes - ones) & ~deletes);
        marks = (is_ascii ? marks | word : marks) & ones * 0x80;
        if (marks != 0) return i + (size_t)__builtin_ctzll(marks) / 8;
    }
    return i;
}

/* Writes the code point, which is no surrogate and at most 0x10FFFF, as UTF-8; the length of it. */
size_t text_encode_utf8(uint32_t code_point, char out[TEXT_UTF8_MAX]);

/* The same onto the end of a Buf. */
void text_add_utf8(Buf *out, uint32_t code_point);

#endif
