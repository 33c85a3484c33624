/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"

Tally *tally_new(uint32_t row_count) {
    Tally *tally = mem_zalloc(sizeof *tally + row_count * sizeof tally->rows[0]);
    tally->row_count = row_count;
    return tally;
}

void tally_free(Tally *tally) {
    if (tally == NULL) return;
    for (uint32_t i = 0; i < tally->row_count; i++) mem_free(tally->rows[i].users);
    mem_free(tally);
}

static void reserve(TallyRow *row, size_t more) {
    if (row->user_count + more <= row->user_cap) return;
    size_t cap = row->user_cap ? row->user_cap : 16;
    while (cap < row->user_count + more) cap *= 2;
    row->users = mem_grow(row->users, cap, sizeof *row->users);
    row->user_cap = cap;
}

void tally_count(Tally *tally, uint32_t row_index, uint64_t user_hash, uint32_t sessions) {
    TallyRow *row = &tally->rows[row_index];
    reserve(row, 1);
    row->users[row->user_count++] = user_hash;
    row->sessions += sessions;
}

static void add_users(TallyRow *row, const TallyRow *from) {
    if (from->user_count == 0) return;
    reserve(row, from->user_count);
    memcpy(row->users + row->user_count, from->users, from->user_count * sizeof *from->users);
    row->user_count += from->user_count;
}

void tally_merge(Tally *into, const Tally *from) {
    ensure(into->row_count == from->row_count);
    for (uint32_t i = 0; i < into->row_count; i++) {
        add_users(&into->rows[i], &from->rows[i]);
        into->rows[i].sessions += from->rows[i].sessions;
    }
}

static int compare(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void drop_doubles(TallyRow *row) {
    if (row->user_count == 0) return;
    qsort(row->users, row->user_count, sizeof *row->users, compare);
    size_t kept = 1;
    for (size_t i = 1; i < row->user_count; i++) {
        if (row->users[i] != row->users[kept - 1]) row->users[kept++] = row->users[i];
    }
    row->user_count = kept;
}

void tally_close(Tally *tally, uint64_t *users, uint64_t *sessions) {
    TallyRow all = {0, NULL, 0, 0};
    for (uint32_t i = 0; i < tally->row_count; i++) {
        drop_doubles(&tally->rows[i]);
        add_users(&all, &tally->rows[i]);
        all.sessions += tally->rows[i].sessions;
    }
    drop_doubles(&all);
    *users = all.user_count;
    *sessions = all.sessions;
    mem_free(all.users);
}
