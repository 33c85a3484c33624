/* SPDX-License-Identifier: Apache-2.0
 *
 * map: finds a value by the name that the value itself bears. The map holds pointers only (12 bytes
 * a slot, open addressing); `key_of` tells a value's name, which may not change while it is in the
 * map. The map borrows its values. Grows and shrinks; keys are hashed with a seed per process. One
 * thread.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdint.h>

#include "base/str.h"

typedef Str (*MapKeyOf)(const void *value);

/* Of 12 bytes, not 16: maps are half empty, and what lies in them is many. */
typedef struct __attribute__((packed, aligned(4))) MapSlot {
    void *value;   /* NULL: free */
    uint32_t hash; /* the low bits, which say where it belongs */
} MapSlot;

typedef struct Map {
    MapKeyOf key_of;
    MapSlot *slots;
    size_t slot_count; /* 0 or a power of two */
    size_t count;
} Map;

/* Every map of the process hashes with this. Call once, before the first map and the first thread. */
void map_seed(uint64_t seed);

void map_init(Map *map, MapKeyOf key_of);
void map_deinit(Map *map);               /* frees the slots, not the values */
void *map_find(const Map *map, Str key); /* NULL: not there */
void map_add(Map *map, void *value);     /* its key must not be there yet */
void *map_remove(Map *map, Str key);     /* gives the value back; NULL: was not there */

/* Walks the slots: start with *at = 0; NULL at the end. The map must not change meanwhile. */
void *map_next(const Map *map, size_t *at);

/* The seeded hash, for others who want to spread names. */
uint64_t map_hash(Str key);

#endif
