/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/trims.h"

#include "base/pack.h"

void trims_deinit(Trims *trims) {
    buf_deinit(&trims->rows);
    trims->count = 0;
}

void trims_add(Trims *trims, const Trim *trim) {
    pack_add_number(&trims->rows, trim->kind);
    pack_add_number(&trims->rows, trim->number);
    pack_add_text(&trims->rows, trim->channel);
    trims->count++;
}

void trims_move(Trims *from, Trims *to) {
    buf_add(&to->rows, buf_str(&from->rows));
    to->count += from->count;
    trims_deinit(from);
}

bool trims_next(Str *rows, Trim *trim) {
    if (rows->len == 0) return false;
    Pack pack = {*rows, false};
    trim->kind = (TrimKind)pack_take_number(&pack);
    trim->number = pack_take_number(&pack);
    trim->channel = pack_take_text(&pack);
    *rows = pack.rest;
    return !pack.is_bad;
}
