/* SPDX-License-Identifier: Apache-2.0
 *
 * clock: what time it is. Monotonic time for intervals, wall time for people and tokens. Any thread.
 * It can be held, for the tests of plugins: then time goes on only by clock_move. Holding and moving
 * is for a process of one thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_RFC3339_LEN = 24, CLOCK_HTTP_LEN = 29 };

uint64_t clock_monotonic_ms(void);
int64_t clock_wall_ms(void); /* since 1970-01-01 UTC */

/* The deadline of what is not to end before `delay_ms` from this moment are over: monotonic, rounded up. */
uint64_t clock_deadline_ms(uint64_t delay_ms);

/* The one that comes first, of two times of which 0 means never. */
static inline uint64_t clock_earlier(uint64_t a, uint64_t b) {
    if (a == 0 || b == 0) return a + b;
    return a < b ? a : b;
}

/* Both stand still from now on, at these times, until clock_release. May be repeated. */
void clock_hold(int64_t wall_ms, uint64_t monotonic_ms);
void clock_move(uint64_t ms);
bool clock_is_held(void);
void clock_release(void);

#define CLOCK_RFC3339_END_S 253402300800.0 /* the year 10000, which has no such text any more */

/* "2026-01-31T12:34:56.789Z" (RFC 3339, UTC, milliseconds); writes CLOCK_RFC3339_LEN bytes and a NUL. */
void clock_format_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_LEN + 1]);

/* "Sat, 31 Jan 2026 12:34:56 GMT" (RFC 9110 5.6.7); writes CLOCK_HTTP_LEN bytes and a NUL. */
void clock_format_http(int64_t wall_ms, char out[CLOCK_HTTP_LEN + 1]);

#endif
