/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/newcomers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct Newcomer {
    List link;
    uint64_t since;
    uint32_t name_len;
    char name[];
} Newcomer;

static Str key_of(const void *value) {
    const Newcomer *newcomer = value;
    return str_make(newcomer->name, newcomer->name_len);
}

static uint64_t size_of(const Newcomer *newcomer) {
    return sizeof *newcomer + newcomer->name_len + sizeof(MapSlot);
}

static Newcomer *first_of(const Newcomers *newcomers) {
    return list_entry(newcomers->list.next, Newcomer, link);
}

static void drop(Newcomers *newcomers, Newcomer *newcomer) {
    map_remove(&newcomers->by_name, key_of(newcomer));
    list_remove(&newcomer->link);
    newcomers->bytes -= size_of(newcomer);
    mem_free(newcomer);
}

void newcomers_init(Newcomers *newcomers) {
    *newcomers = (Newcomers){.is_sorted = true};
    list_init(&newcomers->list);
    map_init(&newcomers->by_name, key_of);
}

void newcomers_deinit(Newcomers *newcomers) {
    while (!list_is_empty(&newcomers->list)) drop(newcomers, first_of(newcomers));
    map_deinit(&newcomers->by_name);
}

void newcomers_add(Newcomers *newcomers, Str user, uint64_t since) {
    Newcomer *newcomer = map_find(&newcomers->by_name, user);
    if (newcomer != NULL) drop(newcomers, newcomer);
    if (!list_is_empty(&newcomers->list)) {
        const Newcomer *last = list_entry(newcomers->list.prev, Newcomer, link);
        if (since < last->since) newcomers->is_sorted = false;
    }
    newcomer = mem_alloc(sizeof *newcomer + user.len);
    newcomer->since = since;
    newcomer->name_len = (uint32_t)user.len;
    if (user.len > 0) memcpy(newcomer->name, user.data, user.len);
    list_add(&newcomers->list, &newcomer->link);
    map_add(&newcomers->by_name, newcomer);
    newcomers->bytes += size_of(newcomer);
}

uint64_t newcomers_since(const Newcomers *newcomers, Str user) {
    const Newcomer *newcomer = map_find(&newcomers->by_name, user);
    return newcomer != NULL ? newcomer->since : 0;
}

static int compare(const void *a, const void *b) {
    const Newcomer *one = *(Newcomer *const *)a;
    const Newcomer *other = *(Newcomer *const *)b;
    return one->since < other->since ? -1 : one->since > other->since;
}

static void sort(Newcomers *newcomers) {
    size_t count = newcomers->by_name.count;
    Newcomer **all = mem_alloc(count * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        all[i] = first_of(newcomers);
        list_remove(&all[i]->link);
    }
    qsort(all, count, sizeof *all, compare);
    for (size_t i = 0; i < count; i++) list_add(&newcomers->list, &all[i]->link);
    mem_free(all);
    newcomers->is_sorted = true;
}

void newcomers_forget(Newcomers *newcomers, uint64_t sequence) {
    if (!newcomers->is_sorted) sort(newcomers);
    while (!list_is_empty(&newcomers->list) && first_of(newcomers)->since < sequence) {
        drop(newcomers, first_of(newcomers));
    }
}
