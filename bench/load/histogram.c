/* SPDX-License-Identifier: Apache-2.0
 *
 * Below HISTOGRAM_STEPS every value has a counter; above it, each doubling is cut into half as many.
 */
#include "histogram.h"

enum { STEP_BITS = 7 };

static int doubling_of(uint64_t value) {
    int bits = 64 - __builtin_clzll(value | 1);
    int doubling = bits > STEP_BITS ? bits - STEP_BITS : 0;
    return doubling < HISTOGRAM_DOUBLINGS ? doubling : HISTOGRAM_DOUBLINGS - 1;
}

void histogram_add(Histogram *histogram, uint64_t value) {
    int doubling = doubling_of(value);
    histogram->counts[doubling][(value >> doubling) % HISTOGRAM_STEPS]++;
    histogram->count++;
    if (value > histogram->max) histogram->max = value;
}

uint64_t histogram_find(const Histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)((double)histogram->count * share);
    if (wanted >= histogram->count) return histogram->max;
    uint64_t seen = 0;
    for (int doubling = 0; doubling < HISTOGRAM_DOUBLINGS; doubling++) {
        for (uint64_t step = 0; step < HISTOGRAM_STEPS; step++) {
            seen += histogram->counts[doubling][step];
            if (seen > wanted) return step << doubling;
        }
    }
    return histogram->max;
}
