/* SPDX-License-Identifier: Apache-2.0
 *
 * inbox: the mailbox of an island. Any thread posts, the owner takes all and works unlocked. First in,
 * first out. The lock guards the list and nothing else; the owner is woken only when the list was
 * empty. Unbounded by itself: what may be posted is bounded where it is made.
 */
#ifndef HUB_INBOX_H
#define HUB_INBOX_H

#include <pthread.h>

#include "hub/op.h"

/* Called by the posting thread, outside the lock, when the first Op came into an empty inbox. */
typedef void (*InboxWake)(void *context);

typedef struct Inbox {
    pthread_mutex_t lock; /* guards first and last */
    Op *first;
    Op **last;
    InboxWake wake;
    void *context;
} Inbox;

void inbox_init(Inbox *inbox, InboxWake wake, void *context);
void inbox_deinit(Inbox *inbox); /* frees what nobody took */

/* Takes the op. */
void inbox_post(Inbox *inbox, Op *op);

/* Takes a list of ops by op->next that is not empty; `last` is its last member. */
void inbox_post_list(Inbox *inbox, Op *first, Op *last);

/* Gives all that lie in it as a list by op->next, oldest first; NULL when empty. Owner only. */
Op *inbox_take(Inbox *inbox);

#endif
