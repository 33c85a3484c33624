/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/online.h"

#include "base/ensure.h"
#include "base/mem.h"

void online_init(Online *online, unsigned worker_count) {
    list_init(&online->users);
    online->user_count = 0;
    online->session_count = 0;
    online->worker_count = worker_count;
}

static void free_presence(Online *online, Presence *presence) {
    list_remove(&presence->link);
    presence->user->owner = NULL;
    online->user_count--;
    mem_free(presence);
}

void online_deinit(Online *online) {
    while (!list_is_empty(&online->users)) {
        free_presence(online, list_entry(online->users.next, Presence, link));
    }
}

static Presence *add_presence(Online *online, Node *user) {
    Presence *presence =
        mem_zalloc(sizeof *presence + online->worker_count * sizeof presence->per_worker[0]);
    presence->user = user;
    user->owner = presence;
    list_add(&online->users, &presence->link);
    online->user_count++;
    return presence;
}

void online_join(Online *online, Node *user, unsigned worker) {
    ensure(worker < online->worker_count);
    Presence *presence = user->owner ? user->owner : add_presence(online, user);
    presence->sessions++;
    presence->per_worker[worker]++;
    online->session_count++;
}

void online_leave(Online *online, Node *user, unsigned worker) {
    Presence *presence = user->owner;
    ensure(presence != NULL && presence->per_worker[worker] > 0);
    presence->sessions--;
    presence->per_worker[worker]--;
    online->session_count--;
    if (presence->sessions == 0) free_presence(online, presence);
}
