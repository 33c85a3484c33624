/* SPDX-License-Identifier: Apache-2.0
 *
 * mem: the one door to the heap. Allocation does not fail: out of memory ends the process here, so
 * no caller tests for it. Sizes that come from outside are checked against a limit before they get
 * here. Any thread; what is allocated on one may be freed on another.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* Once, before the first thread: lets the heap of a server grow and shrink in large steps only. Each step
 * takes the kernel's lock of the address space, which the hash of a password holds for tens of
 * milliseconds while its memory is made ready: a worker that allocated would wait as long. */
void mem_setup(void);

/* Gives the pages of the heap that are free to the kernel, when it is worth that: much became free since the last
 * time, and no more does. To be called every some seconds, always on the same thread; others that allocate wait
 * for up to some milliseconds when it does something. Gives whether it did. */
bool mem_try_trim(void);

/* The same for the free end of the calling thread's part of the heap, at once: nothing else reaches that. */
void mem_trim_end(void);

void *mem_alloc(size_t size);                            /* gives; uninitialised */
void *mem_zalloc(size_t size);                           /* gives; zeroed */
void *mem_realloc(void *memory, size_t size);            /* takes (NULL is fine), gives */
void *mem_grow(void *memory, size_t count, size_t size); /* mem_realloc of count * size, checked */
char *mem_copy(const void *data, size_t len);            /* gives; len bytes and a NUL */
void mem_free(void *memory);                             /* takes; NULL is fine */

#endif
