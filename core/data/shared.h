/* SPDX-License-Identifier: Apache-2.0
 *
 * shared: a dictionary in memory that all workers of the node see: what they count or remember together,
 * at once and without a commit. Values are text; one that is a whole number can be incremented. Each call
 * is one step under the one lock: none sees another's half. Bounded in entries and bytes; what does not
 * fit is refused, nothing is thrown out for it but what has expired. Guests (plugins) are refused a little
 * earlier, so that they cannot take the room that the server's own limits need. Times are monotonic
 * milliseconds that the caller hands in. Any thread.
 */
#ifndef DATA_SHARED_H
#define DATA_SHARED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

typedef struct Shared Shared;

typedef struct SharedLimits {
    uint64_t bytes_max; /* of all entries, with what it takes to keep them */
    uint32_t entries_max;
} SharedLimits;

/* A write; all borrowed. */
typedef struct SharedChange {
    Str key; /* 1 byte or more */
    Str value;
    uint64_t expires_ms; /* 0: never */
    bool must_match;     /* only if the value is `expect` now, */
    bool must_exist;     /* or, without this, if there is none */
    bool is_guest;
    Str expect;
} SharedChange;

typedef struct SharedStep {
    Str key;
    int64_t amount;
    uint64_t expires_ms; /* of an entry that this one makes; 0: never */
    bool is_guest;
} SharedStep;

Shared *shared_new(const SharedLimits *limits); /* gives */
void shared_free(Shared *shared); /* takes, when no thread uses it any more; NULL is fine */

/* Copies the value to `out`, which has room for *len bytes, and sets *len to its length. ERR_LIMIT: it
 * needs more room, *len bytes. ERR_NOT_FOUND. */
WARN_UNUSED int shared_get(Shared *shared, Str key, uint64_t now_ms, char *out, size_t *len);

/* ERR_LIMIT: it does not fit. ERR_EXISTS: must_match was not met. */
WARN_UNUSED int shared_set(Shared *shared, const SharedChange *change, uint64_t now_ms);

bool shared_remove(Shared *shared, Str key, uint64_t now_ms); /* whether there was one */

/* Adds to the whole number that the value is; one that is not there counts as 0. Gives the sum, and when
 * the entry expires (0: never). ERR_INVALID: the value is no whole number, or the sum is beyond 64 bits.
 * ERR_LIMIT. */
WARN_UNUSED int shared_increment(Shared *shared, const SharedStep *step, uint64_t now_ms, int64_t *sum,
                                 uint64_t *expires_ms);

#endif
