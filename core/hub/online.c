/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/online.h"

#include <stddef.h>

#include "base/ensure.h"

void online_init(Online *online, unsigned worker_count, uint32_t grace_ms) {
    ensure(worker_count <= ONLINE_WORKERS_MAX);
    *online = (Online){.worker_count = worker_count, .grace_ms = grace_ms};
    pool_init(&online->pool);
    list_init(&online->users);
    list_init(&online->leaving);
}

static Presence *first_of(const List *list) {
    return list_is_empty(list) ? NULL : list_entry(list->next, Presence, link);
}

static size_t size_of(const Online *online) {
    return offsetof(Presence, per_worker) +
           online->worker_count * sizeof((Presence *)NULL)->per_worker[0];
}

static void free_presence(Online *online, Presence *presence) {
    list_remove(&presence->link);
    presence->user->owner = NULL;
    pool_free(&online->pool, presence, size_of(online));
}

static void free_all(Online *online, List *list) {
    for (Presence *at = first_of(list); at != NULL; at = first_of(list)) free_presence(online, at);
}

void online_deinit(Online *online) {
    free_all(online, &online->users);
    free_all(online, &online->leaving);
    pool_deinit(&online->pool);
}

void online_trim(Online *online) {
    pool_trim(&online->pool);
}

static Presence *add_presence(Online *online, Node *user) {
    Presence *presence = pool_zalloc(&online->pool, size_of(online));
    presence->user = user;
    presence->generation = ++online->generation;
    list_init(&presence->link);
    user->owner = presence;
    return presence;
}

const Presence *online_join(Online *online, Node *user, unsigned worker) {
    ensure(worker < online->worker_count);
    bool is_new = user->owner == NULL;
    Presence *presence = is_new ? add_presence(online, user) : user->owner;
    if (presence->sessions == 0) {
        list_remove(&presence->link);
        list_add(&online->users, &presence->link);
        online->user_count++;
    }
    presence->sessions++;
    presence->per_worker[worker]++;
    presence->worker = (uint8_t)worker;
    online->session_count++;
    return is_new ? presence : NULL;
}

void online_leave(Online *online, Node *user, unsigned worker, uint64_t now_ms) {
    Presence *presence = user->owner;
    ensure(presence != NULL && presence->per_worker[worker] > 0);
    presence->sessions--;
    presence->per_worker[worker]--;
    presence->worker = (uint8_t)worker;
    online->session_count--;
    if (presence->sessions > 0) return;
    online->user_count--;
    presence->deadline_ms = now_ms + online->grace_ms;
    list_remove(&presence->link);
    list_add(&online->leaving, &presence->link);
}

const Presence *online_first_gone(const Online *online, uint64_t now_ms) {
    const Presence *first = first_of(&online->leaving);
    return first != NULL && first->deadline_ms <= now_ms ? first : NULL;
}

void online_drop(Online *online, const Presence *presence) {
    free_presence(online, presence->user->owner);
}

uint64_t online_next_deadline(const Online *online) {
    const Presence *first = first_of(&online->leaving);
    return first ? first->deadline_ms : 0;
}
