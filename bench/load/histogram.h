/* SPDX-License-Identifier: Apache-2.0
 *
 * histogram: counts of durations by size, each kept to within 1.6%, so that millions cost no memory.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 128, HISTOGRAM_DOUBLINGS = 40 };

typedef struct Histogram {
    uint64_t counts[HISTOGRAM_DOUBLINGS][HISTOGRAM_STEPS];
    uint64_t count;
    uint64_t max;
} Histogram;

void histogram_add(Histogram *histogram, uint64_t value);

/* The value that a share (0 to 1) of all is not above; 0 when there is none. */
uint64_t histogram_find(const Histogram *histogram, double share);

#endif
