/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"

enum {
    GROW_BYTES = 4 * 1024 * 1024,
    TRIM_BYTES = 64 * 1024 * 1024, /* so much may be free at the end of a heap and is kept */
    CLEAR_MAX = 1024 /* malloc has what a thread freed lately at hand, calloc searches the heap */
};

void mem_setup(void) {
    (void)mallopt(M_TOP_PAD, GROW_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

static void *checked(void *memory, size_t size) {
    if (memory == NULL) {
        fprintf(stderr, "chatty: out of memory (%zu bytes wanted)\n", size);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size) {
    return checked(malloc(size ? size : 1), size);
}

void *mem_zalloc(size_t size) {
    if (size > CLEAR_MAX) return checked(calloc(1, size), size);
    return memset(mem_alloc(size), 0, size);
}

void *mem_realloc(void *memory, size_t size) {
    return checked(realloc(memory, size ? size : 1), size);
}

void *mem_grow(void *memory, size_t count, size_t size) {
    ensure(size == 0 || count <= SIZE_MAX / size);
    return mem_realloc(memory, count * size);
}

char *mem_copy(const void *data, size_t len) {
    char *copy = mem_alloc(len + 1);
    if (len > 0) memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

void mem_free(void *memory) {
    free(memory);
}
