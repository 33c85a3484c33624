/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/relief.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/metrics.h"

typedef struct Slow {
    Subscriber *subscriber;
    uint64_t bytes;
} Slow;

static int compare(const void *a, const void *b) {
    uint64_t one = ((const Slow *)a)->bytes;
    uint64_t other = ((const Slow *)b)->bytes;
    return (one < other) - (one > other);
}

/* Adds the sessions for which something is overdue to `slow`, and gives how much it is. */
static uint64_t collect(const Registry *registry, Buf *slow) {
    uint64_t sum = 0;
    size_t at = 0;
    const Map *users = &registry->graph.users;
    for (Node *user = map_next(users, &at); user != NULL; user = map_next(users, &at)) {
        for (Subscriber *each = registry_sessions(user); each != NULL; each = each->sibling) {
            Slow one = {each, each->class->overdue(each)};
            sum += one.bytes;
            if (one.bytes > 0) buf_add(slow, str_make((const char *)&one, sizeof one));
        }
    }
    return sum;
}

static void end(const Slow *slow) {
    metrics_add(METRIC_slow_readers_total, 1);
    metrics_add(METRIC_limit_hits_total, 1);
    slow->subscriber->class->cut(slow->subscriber);
}

void relief_end_slowest(const Registry *registry, uint32_t thousandths) {
    Buf slow = BUF_NONE;
    uint64_t wanted = collect(registry, &slow) / 1000 * thousandths;
    Slow *first = (Slow *)(void *)slow.data;
    size_t count = slow.len / sizeof *first;
    if (count > 0) qsort(first, count, sizeof *first, compare);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count && bytes < wanted; i++) {
        bytes += first[i].bytes;
        end(&first[i]);
    }
    buf_deinit(&slow);
}
