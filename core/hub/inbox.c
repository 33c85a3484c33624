/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/inbox.h"

#include "base/ensure.h"

void inbox_init(Inbox *inbox, InboxWake wake, void *context) {
    ensure(pthread_mutex_init(&inbox->lock, NULL) == 0);
    inbox->first = NULL;
    inbox->last = &inbox->first;
    inbox->wake = wake;
    inbox->context = context;
}

void inbox_deinit(Inbox *inbox) {
    for (Op *op = inbox_take(inbox); op != NULL;) {
        Op *next = op->next;
        op_free(op);
        op = next;
    }
    pthread_mutex_destroy(&inbox->lock);
}

void inbox_post_list(Inbox *inbox, Op *first, Op *last) {
    last->next = NULL;
    pthread_mutex_lock(&inbox->lock);
    bool was_empty = inbox->first == NULL;
    *inbox->last = first;
    inbox->last = &last->next;
    pthread_mutex_unlock(&inbox->lock);
    if (was_empty) inbox->wake(inbox->context);
}

void inbox_post(Inbox *inbox, Op *op) {
    inbox_post_list(inbox, op, op);
}

Op *inbox_take(Inbox *inbox) {
    pthread_mutex_lock(&inbox->lock);
    Op *first = inbox->first;
    inbox->first = NULL;
    inbox->last = &inbox->first;
    pthread_mutex_unlock(&inbox->lock);
    return first;
}
