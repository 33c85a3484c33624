/* SPDX-License-Identifier: Apache-2.0
 *
 * names: a list of names in one block of memory, to be carried by an Op from thread to thread. Made
 * whole, never changed. One owner.
 */
#ifndef HUB_NAMES_H
#define HUB_NAMES_H

#include <stdint.h>

#include "base/str.h"

typedef struct Names {
    uint32_t count;
    Str items[]; /* point behind the array, into the same block */
} Names;

Names *names_new(const Str *items, size_t count); /* copies; gives */
void names_free(Names *names);                    /* takes; NULL is fine */

#endif
