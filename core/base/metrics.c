/* SPDX-License-Identifier: Apache-2.0
 *
 * A block's owner is the only writer, so an increment is a relaxed load and a relaxed store: plain
 * instructions on every machine we know. Readers may see a sum that is a moment old.
 */
#include "base/metrics.h"

#include "base/ensure.h"

typedef struct MetricsBlock {
    _Alignas(64) atomic_int_least64_t values[METRIC_COUNT];
} MetricsBlock;

/* Block 0 belongs to all threads that have not joined. */
static MetricsBlock blocks[METRICS_BLOCKS_MAX];
static atomic_uint blocks_used = 1;
static _Thread_local MetricsBlock *own_block;

void metrics_join(void) {
    if (own_block != NULL) return;
    unsigned index = atomic_fetch_add(&blocks_used, 1);
    ensure(index < METRICS_BLOCKS_MAX);
    own_block = &blocks[index];
}

void metrics_add(Metric metric, int64_t amount) {
    if (own_block == NULL) {
        atomic_fetch_add_explicit(&blocks[0].values[metric], amount, memory_order_relaxed);
        return;
    }
    atomic_int_least64_t *value = &own_block->values[metric];
    int64_t before = atomic_load_explicit(value, memory_order_relaxed);
    atomic_store_explicit(value, before + amount, memory_order_relaxed);
}

int64_t metrics_sum(Metric metric) {
    unsigned used = atomic_load(&blocks_used);
    int64_t sum = 0;
    for (unsigned i = 0; i < used && i < METRICS_BLOCKS_MAX; i++) {
        sum += atomic_load_explicit(&blocks[i].values[metric], memory_order_relaxed);
    }
    return sum;
}

void metrics_encode(Buf *out) {
#define METRIC_ENCODE(name, type, help)                                                           \
    buf_addf(out,                                                                                 \
             "# HELP chatty_" #name " " help "\n# TYPE chatty_" #name " " #type "\nchatty_" #name \
             " %lld\n",                                                                           \
             (long long)metrics_sum(METRIC_##name));
    METRIC_MAP(METRIC_ENCODE)
#undef METRIC_ENCODE
}
