/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/cursor.h"

enum { EPOCH_DIGITS = CURSOR_EPOCH_BITS / 5, SEQUENCE_DIGITS = MESSAGE_ID_LEN - EPOCH_DIGITS };

/* Digits whose order is that of their characters. */
static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

static void encode_number(uint64_t number, char *out, int len) {
    for (int i = len - 1; i >= 0; i--, number >>= 5) out[i] = digits[number & 31];
}

static bool parse_number(Str text, uint64_t *number) {
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.data[i] ? strchr(digits, text.data[i]) : NULL;
        if (digit == NULL || *number >> 59 != 0) return false;
        *number = *number << 5 | (uint64_t)(digit - digits);
    }
    return true;
}

void cursor_encode(uint64_t epoch, uint64_t sequence, char id[MESSAGE_ID_LEN]) {
    encode_number(epoch, id, EPOCH_DIGITS);
    encode_number(sequence, id + EPOCH_DIGITS, SEQUENCE_DIGITS);
}

bool cursor_parse(Str id, uint64_t *epoch, uint64_t *sequence) {
    return id.len == MESSAGE_ID_LEN && parse_number(str_make(id.data, EPOCH_DIGITS), epoch) &&
           parse_number(str_make(id.data + EPOCH_DIGITS, SEQUENCE_DIGITS), sequence);
}
