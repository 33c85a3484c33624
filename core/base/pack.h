/* SPDX-License-Identifier: Apache-2.0
 *
 * pack: numbers and texts in a row of bytes, and back, for records of our own: small numbers take one
 * byte, the same on every machine. One thread.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stdint.h>

#include "base/buf.h"

void pack_add_number(Buf *row, uint64_t number);
void pack_add_text(Buf *row, Str text);

/* A row that is read from its start. Once something is missing, all that follows is 0 and empty. */
typedef struct Pack {
    Str rest;
    bool is_bad;
} Pack;

uint64_t pack_take_number(Pack *pack);
Str pack_take_text(Pack *pack); /* borrows from the row */

/* A number of things that follow, of which each takes a byte at least: so it is as bounded as the row. */
uint32_t pack_take_count(Pack *pack);

/* All was there, and nothing is left. */
static inline bool pack_is_whole(const Pack *pack) {
    return !pack->is_bad && pack->rest.len == 0;
}

#endif
