/* SPDX-License-Identifier: Apache-2.0
 *
 * page: the first names of a set in byte order, behind a given one: what a search answers. Names are
 * put in in any order; a heap keeps the smallest `size` of them, so a page out of a million names costs
 * memory for one page. Borrows the names. One thread.
 */
#ifndef HUB_PAGE_H
#define HUB_PAGE_H

#include <stdint.h>

#include "hub/names.h"

typedef struct Page {
    Str after; /* only names behind this one; STR_NONE: from the start */
    uint32_t size;
    uint32_t count;
    uint32_t cap;
    bool has_more; /* a name was left out because the page is full */
    Str *names;    /* a heap, the largest first */
} Page;

void page_init(Page *page, Str after, uint32_t size);
void page_add(Page *page, Str name);

/* Gives the page's names in order and frees the page's memory. */
Names *page_close(Page *page);

#endif
