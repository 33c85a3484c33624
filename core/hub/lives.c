/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/lives.h"

#include "base/mem.h"
#include "base/pack.h"

enum { LIVES_MAX = 1024 };

static uint64_t epoch_of(uint64_t ms) {
    return ms & ((1ULL << CURSOR_EPOCH_BITS) - 1);
}

void lives_init(Lives *lives, uint64_t epoch) {
    *lives = (Lives){mem_zalloc(sizeof(Life)), 1};
    lives->items[0].epoch = epoch_of(epoch);
}

void lives_deinit(Lives *lives) {
    mem_free(lives->items);
    *lives = (Lives){NULL, 0};
}

static const Life *last_of(const Lives *lives) {
    return &lives->items[lives->count - 1];
}

void lives_add(Lives *lives, uint64_t epoch, uint64_t base) {
    epoch = epoch_of(epoch);
    if (epoch <= last_of(lives)->epoch) epoch = last_of(lives)->epoch + 1; /* the clock was set back */
    if (lives->count == LIVES_MAX) {
        memmove(lives->items, lives->items + 1, --lives->count * sizeof *lives->items);
    }
    lives->items = mem_grow(lives->items, lives->count + 1, sizeof *lives->items);
    lives->items[lives->count++] = (Life){epoch, base};
}

/* What is older than the first one that is remembered counts as of that. */
static uint32_t index_of(const Lives *lives, uint64_t sequence) {
    uint32_t i = lives->count - 1;
    while (i > 0 && sequence < lives->items[i].base) i--;
    return i;
}

void lives_encode_id(const Lives *lives, uint64_t sequence, char id[MESSAGE_ID_LEN]) {
    cursor_encode(lives->items[index_of(lives, sequence)].epoch, sequence, id);
}

bool lives_parse_id(const Lives *lives, Str id, uint64_t *sequence) {
    uint64_t epoch;
    return cursor_parse(id, &epoch, sequence) &&
           lives->items[index_of(lives, *sequence)].epoch == epoch;
}

void lives_pack(const Lives *lives, Buf *row) {
    pack_add_number(row, lives->count);
    for (uint32_t i = 0; i < lives->count; i++) {
        pack_add_number(row, lives->items[i].epoch);
        pack_add_number(row, lives->items[i].base);
    }
}

int lives_unpack(Str row, Lives *lives) {
    Pack pack = {row, false};
    uint32_t count = pack_take_count(&pack);
    Lives found = {mem_alloc((count + 1) * sizeof(Life)), count};
    for (uint32_t i = 0; i < count; i++) {
        uint64_t epoch = pack_take_number(&pack);
        found.items[i] = (Life){epoch, pack_take_number(&pack)};
    }
    if (count == 0 || !pack_is_whole(&pack)) {
        lives_deinit(&found);
        return ERR_INVALID;
    }
    *lives = found;
    return 0;
}
