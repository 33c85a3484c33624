/* SPDX-License-Identifier: Apache-2.0
 *
 * stamp: the mark in each event by which it is known again: who published it, the how manieth it is, and
 * when it was sent. Of fixed width, and a JSON string, so that no server changes it:
 *
 *     "bench":"001.0000002a.000000ba43b7400f"      publisher, number, monotonic nanoseconds
 */
#ifndef BENCH_STAMP_H
#define BENCH_STAMP_H

#include <stdint.h>

#include "base/buf.h"

enum { STAMP_PUBLISHERS_MAX = 4096 };

typedef struct Stamp {
    uint32_t publisher;
    uint32_t number;
    uint64_t sent_ns;
} Stamp;

/* Appends attributes with this stamp, padded so that stamp_add_event makes `event_bytes`. */
void stamp_add_attributes(Buf *out, const Stamp *stamp, size_t event_bytes);

/* Appends the event, {"event":"bench","attributes":{...}}. */
void stamp_add_event(Buf *out, const Stamp *stamp, size_t event_bytes);

/* The smallest event there is, in bytes. */
size_t stamp_event_min(void);

/* Takes the next stamp from the text and moves the text behind it; false when there is none. */
bool stamp_take(Str *text, Stamp *stamp);

#endif
