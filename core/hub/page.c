/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/page.h"

#include <stdlib.h>

#include "base/mem.h"

void page_init(Page *page, Str after, uint32_t size) {
    *page = (Page){.after = after, .size = size};
}

static void swap(Str *a, Str *b) {
    Str kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(Str *heap, uint32_t at) {
    while (at > 0 && str_compare(heap[at], heap[(at - 1) / 2]) > 0) {
        swap(&heap[at], &heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sift_down(Str *heap, uint32_t count) {
    uint32_t at = 0;
    for (;;) {
        uint32_t largest = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (str_compare(heap[child], heap[largest]) > 0) largest = child;
        }
        if (largest == at) return;
        swap(&heap[at], &heap[largest]);
        at = largest;
    }
}

static void push(Page *page, Str name) {
    if (page->count == page->cap) {
        page->cap = page->cap ? page->cap * 2 : 16;
        page->names = mem_grow(page->names, page->cap, sizeof *page->names);
    }
    page->names[page->count] = name;
    sift_up(page->names, page->count++);
}

void page_add(Page *page, Str name) {
    if (page->after.len > 0 && str_compare(name, page->after) <= 0) return;
    if (page->count < page->size) {
        push(page, name);
        return;
    }
    page->has_more = true;
    if (page->count == 0 || str_compare(name, page->names[0]) >= 0) return;
    page->names[0] = name;
    sift_down(page->names, page->count);
}

static int compare(const void *a, const void *b) {
    return str_compare(*(const Str *)a, *(const Str *)b);
}

Names *page_close(Page *page) {
    if (page->count > 0) qsort(page->names, page->count, sizeof *page->names, compare);
    Names *names = names_new(page->names, page->count);
    mem_free(page->names);
    page->names = NULL;
    return names;
}
