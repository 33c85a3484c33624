/* SPDX-License-Identifier: Apache-2.0
 *
 * newcomers: who was subscribed to a channel after it had kept something, and since which sequence it is
 * his. Part of a channel of History, guarded by its lock.
 */
#ifndef HUB_NEWCOMERS_H
#define HUB_NEWCOMERS_H

#include <stdint.h>

#include "base/list.h"
#include "base/map.h"

typedef struct Newcomers {
    List list; /* the oldest first, if is_sorted */
    Map by_name;
    uint64_t bytes;
    bool is_sorted;
} Newcomers;

void newcomers_init(Newcomers *newcomers);
void newcomers_deinit(Newcomers *newcomers); /* drops all */

/* Up to `since` nothing is his. Whoever is there begins anew. */
void newcomers_add(Newcomers *newcomers, Str user, uint64_t since);

/* The last sequence that is not his; 0: nothing is known of him. */
uint64_t newcomers_since(const Newcomers *newcomers, Str user);

/* Drops those with a sequence below. */
void newcomers_forget(Newcomers *newcomers, uint64_t sequence);

static inline size_t newcomers_count(const Newcomers *newcomers) {
    return newcomers->by_name.count;
}

#endif
