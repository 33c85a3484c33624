/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <assert.h>

int text_parse_number(Str text, int64_t *number) {
    if (text.len == 0) return ERR_INVALID;
    int64_t value = 0;
    bool is_over = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return ERR_INVALID;
        is_over |= __builtin_mul_overflow(value, 10, &value);
        is_over |= __builtin_add_overflow(value, text.data[i] - '0', &value);
    }
    if (is_over) return ERR_LIMIT;
    *number = value;
    return 0;
}

size_t text_encode_number(uint64_t number, char out[TEXT_NUMBER_MAX]) {
    char digits[TEXT_NUMBER_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

int text_hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int text_percent_decode(Str text, bool plus_is_space, Buf *out) {
    buf_reserve(out, text.len);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.len ? text_hex_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.len ? text_hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) return ERR_INVALID;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        buf_add_char(out, c);
    }
    return 0;
}

/* Eight bytes of ASCII. */
static bool is_ascii_word(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

bool text_is_utf8(Str text) {
    while (text.len > 0) {
        bool is_ascii = text.len >= sizeof(uint64_t) && is_ascii_word(text.data);
        size_t len = is_ascii ? sizeof(uint64_t) : text_utf8_len(text);
        if (len == 0) return false;
        text.data += len;
        text.len -= len;
    }
    return true;
}

size_t text_encode_utf8(uint32_t code_point, char out[TEXT_UTF8_MAX]) {
    assert(code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF));
    static const unsigned char lead[TEXT_UTF8_MAX + 1] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t len = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)(lead[len] | code_point);
    return len;
}

void text_add_utf8(Buf *out, uint32_t code_point) {
    char bytes[TEXT_UTF8_MAX];
    buf_add(out, str_make(bytes, text_encode_utf8(code_point, bytes)));
}
