/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear probing with backward-shift deletion: no tombstones, so a map that lives for months and
 * sees many names come and go stays as quick as a fresh one.
 */
#include "base/map.h"

#include "base/ensure.h"
#include "base/mem.h"

enum { MAP_SLOTS_MIN = 16 };

static uint64_t process_seed = 0x9ae16a3b2f90404fULL;

void map_seed(uint64_t seed) {
    process_seed ^= seed;
}

static uint64_t mix(uint64_t a, uint64_t b) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *data, size_t len) {
    uint64_t word = 0;
    memcpy(&word, data, len);
    return word;
}

uint64_t map_hash(Str key) {
    uint64_t hash = mix(process_seed ^ key.len, 0xd6e8feb86659fd93ULL);
    while (key.len >= 8) {
        hash = mix(hash ^ load(key.data, 8), process_seed ^ 0xa0761d6478bd642fULL);
        key.data += 8;
        key.len -= 8;
    }
    if (key.len > 0) hash = mix(hash ^ load(key.data, key.len), process_seed ^ 0xe7037ed1a0b428dbULL);
    return mix(hash, 0x8ebc6af09c88c6e3ULL ^ process_seed);
}

void map_init(Map *map, MapKeyOf key_of) {
    *map = (Map){key_of, NULL, 0, 0};
}

void map_deinit(Map *map) {
    mem_free(map->slots);
    map_init(map, map->key_of);
}

static uint32_t hash_of(Str key) {
    return (uint32_t)map_hash(key);
}

static void place(MapSlot *slots, size_t slot_count, void *value, uint32_t hash) {
    size_t i = hash & (slot_count - 1);
    while (slots[i].value != NULL) i = (i + 1) & (slot_count - 1);
    slots[i] = (MapSlot){value, hash};
}

static void resize(Map *map, size_t slot_count) {
    ensure(slot_count - 1 <= UINT32_MAX);
    MapSlot *slots = mem_zalloc(slot_count * sizeof *slots);
    for (size_t i = 0; i < map->slot_count; i++) {
        if (map->slots[i].value != NULL) {
            place(slots, slot_count, map->slots[i].value, map->slots[i].hash);
        }
    }
    mem_free(map->slots);
    map->slots = slots;
    map->slot_count = slot_count;
}

static MapSlot *find_slot(const Map *map, Str key) {
    if (map->count == 0) return NULL;
    uint32_t hash = hash_of(key);
    size_t i = hash & (map->slot_count - 1);
    for (; map->slots[i].value != NULL; i = (i + 1) & (map->slot_count - 1)) {
        MapSlot *slot = &map->slots[i];
        if (slot->hash == hash && str_equal(map->key_of(slot->value), key)) return slot;
    }
    return NULL;
}

void *map_find(const Map *map, Str key) {
    MapSlot *slot = find_slot(map, key);
    return slot ? slot->value : NULL;
}

void map_add(Map *map, void *value) {
    if ((map->count + 1) * 4 > map->slot_count * 3) {
        resize(map, map->slot_count ? map->slot_count * 2 : MAP_SLOTS_MIN);
    }
    place(map->slots, map->slot_count, value, hash_of(map->key_of(value)));
    map->count++;
}

static void close_gap(Map *map, size_t gap) {
    size_t mask = map->slot_count - 1;
    for (size_t i = (gap + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - gap) & mask)) continue;
        map->slots[gap] = map->slots[i];
        gap = i;
    }
    map->slots[gap].value = NULL;
}

void *map_remove(Map *map, Str key) {
    MapSlot *slot = find_slot(map, key);
    if (slot == NULL) return NULL;
    void *value = slot->value;
    close_gap(map, (size_t)(slot - map->slots));
    map->count--;
    if (map->slot_count > MAP_SLOTS_MIN && map->count * 8 < map->slot_count) {
        resize(map, map->slot_count / 2);
    }
    return value;
}

void *map_next(const Map *map, size_t *at) {
    while (*at < map->slot_count) {
        void *value = map->slots[(*at)++].value;
        if (value != NULL) return value;
    }
    return NULL;
}
