/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <stdint.h>

static const char *const alphabets[] = {
    [BASE64_PADDED] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

enum { IS_DIGIT = 64, VALUE = 63 };

/* IS_DIGIT and the value of each character of both alphabets. */
static const unsigned char digits[256] = {
    ['A'] = 64, 65,  66,  67,  68,         69,  70,  71,          72,          73,          74,
    75,         76,  77,  78,  79,         80,  81,  82,          83,          84,          85,
    86,         87,  88,  89,  ['a'] = 90, 91,  92,  93,          94,          95,          96,
    97,         98,  99,  100, 101,        102, 103, 104,         105,         106,         107,
    108,        109, 110, 111, 112,        113, 114, 115,         ['0'] = 116, 117,         118,
    119,        120, 121, 122, 123,        124, 125, ['+'] = 126, ['-'] = 126, ['/'] = 127, ['_'] = 127,
};

size_t base64_encode(Base64 form, Str bytes, char *out) {
    const char *alphabet = alphabets[form];
    const unsigned char *from = (const unsigned char *)bytes.data;
    char *at = out;
    size_t i = 0;
    for (; bytes.len - i >= 3; i += 3) {
        uint32_t bits = (uint32_t)from[i] << 16 | (uint32_t)from[i + 1] << 8 | from[i + 2];
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & VALUE];
        *at++ = alphabet[bits >> 6 & VALUE];
        *at++ = alphabet[bits & VALUE];
    }
    size_t left = bytes.len - i;
    if (left > 0) {
        uint32_t bits = (uint32_t)from[i] << 16 | (left == 2 ? (uint32_t)from[i + 1] << 8 : 0);
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & VALUE];
        if (left == 2) *at++ = alphabet[bits >> 6 & VALUE];
        for (size_t k = left; form == BASE64_PADDED && k < 3; k++) *at++ = '=';
    }
    return (size_t)(at - out);
}

void base64_add(Base64 form, Str bytes, Buf *out) {
    buf_reserve(out, BASE64_PADDED_LEN(bytes.len));
    out->len += base64_encode(form, bytes, out->data + out->len);
}

/* Takes the padding off. False: it is not what there must be. */
static bool take_padding(Str *text) {
    if (text->len % 4 != 0) return false;
    for (int i = 0; i < 2 && text->len > 0 && text->data[text->len - 1] == '='; i++) text->len--;
    return true;
}

static bool has(Str text, char c) {
    return memchr(text.data, c, text.len) != NULL;
}

/* The other alphabet's two. */
static bool has_foreign(Base64 form, Str text) {
    return form == BASE64_URL ? has(text, '+') || has(text, '/') : has(text, '-') || has(text, '_');
}

/* The last bytes, of two or three characters. False: the bits behind them are set. */
static bool put_rest(const unsigned char *from, size_t len, char **at) {
    uint32_t bits = (uint32_t)(digits[from[0]] & VALUE) << 12 | (uint32_t)(digits[from[1]] & VALUE)
                                                                    << 6;
    if (len == 3) bits |= digits[from[2]] & VALUE;
    *(*at)++ = (char)(bits >> 10);
    if (len == 3) *(*at)++ = (char)(bits >> 2 & 0xFF);
    return (bits & (len == 3 ? 0x3 : 0x3FF)) == 0;
}

int base64_decode(Base64 form, Str text, Buf *out) {
    if (form == BASE64_PADDED && !take_padding(&text)) return ERR_INVALID;
    if (text.len == 0) return 0;
    if (text.len % 4 == 1 || has_foreign(form, text)) return ERR_INVALID;
    buf_reserve(out, text.len);
    const unsigned char *from = (const unsigned char *)text.data;
    char *at = out->data + out->len;
    unsigned all = IS_DIGIT;
    size_t whole = text.len / 4 * 4;
    for (size_t i = 0; i < whole; i += 4) {
        unsigned a = digits[from[i]], b = digits[from[i + 1]], c = digits[from[i + 2]],
                 d = digits[from[i + 3]];
        uint32_t bits = (a & VALUE) << 18 | (b & VALUE) << 12 | (c & VALUE) << 6 | (d & VALUE);
        all &= a & b & c & d;
        *at++ = (char)(bits >> 16);
        *at++ = (char)(bits >> 8 & 0xFF);
        *at++ = (char)(bits & 0xFF);
    }
    for (size_t i = whole; i < text.len; i++) all &= digits[from[i]];
    bool is_good = (all & IS_DIGIT) != 0;
    if (whole < text.len && !put_rest(from + whole, text.len - whole, &at)) is_good = false;
    if (!is_good) return ERR_INVALID;
    out->len = (size_t)(at - out->data);
    return 0;
}
