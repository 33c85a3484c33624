/* SPDX-License-Identifier: Apache-2.0
 *
 * list: a doubly linked list whose links live inside its members. A List is its own sentinel; a
 * member's link that is in no list points to itself once list_init or list_remove has run. One
 * thread.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct List {
    struct List *next;
    struct List *prev;
} List;

/* The struct of type `type` whose member `field` is the link `link`. */
#define list_entry(link, type, field) ((type *)(void *)((char *)(link)-offsetof(type, field)))

static inline void list_init(List *list) {
    list->next = list->prev = list;
}

static inline bool list_is_empty(const List *list) {
    return list->next == list;
}

/* Adds at the end. */
static inline void list_add(List *list, List *link) {
    link->prev = list->prev;
    link->next = list;
    list->prev->next = link;
    list->prev = link;
}

/* Harmless for a link that is in no list. */
static inline void list_remove(List *link) {
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Moves all members of `from` to the end of the empty list `to`. */
static inline void list_take_all(List *from, List *to) {
    if (list_is_empty(from)) return;
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = to->prev->next = to;
    list_init(from);
}

#endif
