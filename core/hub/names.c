/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/names.h"

#include "base/ensure.h"
#include "base/mem.h"

Names *names_new(const Str *items, size_t count) {
    ensure(count <= UINT32_MAX);
    size_t bytes = sizeof(Names) + count * sizeof(Str);
    for (size_t i = 0; i < count; i++) bytes += items[i].len;
    Names *names = mem_alloc(bytes);
    names->count = (uint32_t)count;
    char *at = (char *)&names->items[count];
    for (size_t i = 0; i < count; i++) {
        names->items[i] = str_make(at, items[i].len);
        if (items[i].len > 0) memcpy(at, items[i].data, items[i].len);
        at += items[i].len;
    }
    return names;
}

void names_free(Names *names) {
    mem_free(names);
}
