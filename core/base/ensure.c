/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ensure.h"

#include <stdio.h>
#include <stdlib.h>

void ensure_fail(const char *condition, const char *file, int line) {
    fprintf(stderr, "chatty: %s:%d: ensure(%s) failed\n", file, line, condition);
    abort();
}
