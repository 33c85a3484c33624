/* SPDX-License-Identifier: Apache-2.0 */
#include "data/revocations.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/secret.h"

enum { SWEEP_PER_TOKEN = 2, HASH_LEN = 64 };

typedef struct Entry {
    int64_t seconds;
    uint32_t name_len;
    char name[];
} Entry;

static Str name_of(const void *value) {
    const Entry *entry = value;
    return str_make(entry->name, entry->name_len);
}

static void add_entry(Map *map, Str name, int64_t seconds) {
    Entry *entry = mem_alloc(sizeof *entry + name.len);
    entry->seconds = seconds;
    entry->name_len = (uint32_t)name.len;
    memcpy(entry->name, name.data, name.len);
    map_add(map, entry);
}

void revocations_init(Revocations *revocations) {
    map_init(&revocations->tokens, name_of);
    map_init(&revocations->users, name_of);
    revocations->sweep_at = 0;
}

static void copy_all(Map *map, const Map *from) {
    size_t at = 0;
    for (const Entry *entry = map_next(from, &at); entry != NULL; entry = map_next(from, &at)) {
        add_entry(map, name_of(entry), entry->seconds);
    }
}

void revocations_copy(Revocations *revocations, const Revocations *from) {
    revocations_init(revocations);
    copy_all(&revocations->tokens, &from->tokens);
    copy_all(&revocations->users, &from->users);
}

static void free_all(Map *map) {
    size_t at = 0;
    for (void *entry = map_next(map, &at); entry != NULL; entry = map_next(map, &at)) mem_free(entry);
    map_deinit(map);
}

void revocations_deinit(Revocations *revocations) {
    free_all(&revocations->tokens);
    free_all(&revocations->users);
}

static bool on_record(void *context, const StoreRecord *record) {
    revocations_add(context, record->space, record->key, record->value);
    return true;
}

int revocations_load(Revocations *revocations, Store *store) {
    int64_t now_ms = clock_wall_ms();
    StoreRange tokens = {.space = REVOCATIONS_TOKENS};
    StoreRange users = {.space = REVOCATIONS_USERS};
    int err = store_each(store, &tokens, now_ms, on_record, revocations);
    return err == 0 ? store_each(store, &users, now_ms, on_record, revocations) : err;
}

/* Those that a removal moves to where the sweep has been are looked at the next time around. */
void revocations_sweep(Revocations *revocations, size_t count) {
    Map *tokens = &revocations->tokens;
    if (tokens->count == 0) return;
    int64_t now_s = clock_wall_ms() / 1000;
    for (size_t i = 0; i < count; i++) {
        Entry *entry = map_next(tokens, &revocations->sweep_at);
        if (entry == NULL) {
            revocations->sweep_at = 0;
            return;
        }
        if (entry->seconds == 0 || entry->seconds >= now_s) continue;
        map_remove(tokens, name_of(entry));
        mem_free(entry);
    }
}

static bool add_token(Revocations *revocations, Str key, int64_t seconds) {
    if (key.len <= HASH_LEN || map_find(&revocations->tokens, key) != NULL) return false;
    revocations_sweep(revocations, SWEEP_PER_TOKEN);
    add_entry(&revocations->tokens, key, seconds);
    return true;
}

/* Records of two changes at once may come in either order: the later second holds. */
static bool add_user(Revocations *revocations, Str user, int64_t seconds) {
    Entry *known = map_find(&revocations->users, user);
    if (known == NULL) {
        add_entry(&revocations->users, user, seconds);
        return true;
    }
    if (known->seconds >= seconds) return false;
    known->seconds = seconds;
    return true;
}

bool revocations_add(Revocations *revocations, Str space, Str key, Str value) {
    int64_t seconds;
    if (text_parse_number(value, &seconds) != 0) return false;
    if (str_equal(space, REVOCATIONS_TOKENS)) return add_token(revocations, key, seconds);
    return str_equal(space, REVOCATIONS_USERS) && add_user(revocations, key, seconds);
}

bool revocations_key(Str user, Str claims, Buf *key) {
    Str id;
    if (!json_find(claims, STR("jti"), &id) || json_type(id) == JSON_NULL) return false;
    Buf text = BUF_NONE;
    buf_add(&text, user);
    buf_add_char(&text, '\0');
    buf_add(&text, id); /* as it is written in the token: that is its own */
    secret_hash(buf_str(&text), key);
    buf_deinit(&text);
    buf_add(key, user);
    return true;
}

Str revocations_user(Str space, Str key) {
    if (str_equal(space, REVOCATIONS_USERS)) return key;
    return key.len > HASH_LEN ? str_make(key.data + HASH_LEN, key.len - HASH_LEN) : STR_NONE;
}

static bool is_too_old(const Revocations *revocations, Str user, Str claims) {
    const Entry *from = revocations->users.count > 0 ? map_find(&revocations->users, user) : NULL;
    if (from == NULL) return false;
    Str made;
    if (!json_find(claims, STR("iat"), &made) || json_type(made) != JSON_NUMBER) return true;
    return strtod(made.data, NULL) < (double)from->seconds;
}

static bool is_revoked(const Revocations *revocations, Str user, Str claims) {
    if (revocations->tokens.count == 0) return false;
    Buf key = BUF_NONE;
    bool is_known =
        revocations_key(user, claims, &key) && map_find(&revocations->tokens, buf_str(&key)) != NULL;
    buf_deinit(&key);
    return is_known;
}

bool revocations_has(const Revocations *revocations, Str user, Str claims) {
    return is_too_old(revocations, user, claims) || is_revoked(revocations, user, claims);
}
