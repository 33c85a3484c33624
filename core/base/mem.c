/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ensure.h"

enum {
    GROW_BYTES = 4 * 1024 * 1024,
    TRIM_BYTES = 64 * 1024 * 1024, /* so much may be free at the end of a heap and is kept */
    CLEAR_MAX = 1024, /* malloc has what a thread freed lately at hand, calloc searches the heap */
    WORTH_BYTES = 1024 * 1024, /* trimming is worth it when so much was freed, or ... */
    WORTH_SHARE = 8,           /* this share of what is in use, if that is more */
    LARGE_BYTES = 96 * 1024    /* a block whose end makes the C library look at the end of the heap */
};

static void set_steps(int grow_bytes, int trim_bytes) {
    (void)mallopt(M_TOP_PAD, grow_bytes);
    (void)mallopt(M_TRIM_THRESHOLD, trim_bytes);
}

void mem_setup(void) {
    set_steps(GROW_BYTES, TRIM_BYTES);
}

/* Bytes of memory that are the process's own; 0 when the system does not say. */
static int64_t read_resident(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    long long all, resident, shared;
    int count = fscanf(file, "%lld %lld %lld", &all, &resident, &shared);
    fclose(file);
    return count == 3 ? (resident - shared) * sysconf(_SC_PAGESIZE) : 0;
}

/* What is resident and not in use: the heap has more of that free, but pages that were given back, or never
 * touched, are no matter. */
static int64_t measure_slack(const struct mallinfo2 *info) {
    return read_resident() - (int64_t)info->uordblks;
}

bool mem_try_trim(void) {
    static int64_t least, last; /* least: other things than the heap are in it as well */
    struct mallinfo2 info = mallinfo2();
    int64_t slack = measure_slack(&info);
    int64_t share = (int64_t)info.uordblks / WORTH_SHARE;
    int64_t worth = share > WORTH_BYTES ? share : WORTH_BYTES;
    bool is_growing = slack > last + WORTH_BYTES;
    last = slack;
    if (slack < least) least = slack;
    if (is_growing || slack < least + worth) return false;
    malloc_trim(0);
    info = mallinfo2();
    least = last = measure_slack(&info);
    return true;
}

void mem_trim_end(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the steps are those of all threads */
    pthread_mutex_lock(&lock);
    set_steps(0, 0);
    void *volatile large = malloc(LARGE_BYTES);
    free(large);
    set_steps(GROW_BYTES, TRIM_BYTES);
    pthread_mutex_unlock(&lock);
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
