/* SPDX-License-Identifier: Apache-2.0
 *
 * clock: what time it is. Monotonic time for intervals, wall time for people and tokens. Any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

enum { CLOCK_RFC3339_LEN = 24, CLOCK_HTTP_LEN = 29 };

uint64_t clock_monotonic_ms(void);
int64_t clock_wall_ms(void); /* since 1970-01-01 UTC */

/* "2026-01-31T12:34:56.789Z" (RFC 3339, UTC, milliseconds); writes CLOCK_RFC3339_LEN bytes and a NUL. */
void clock_format_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_LEN + 1]);

/* "Sat, 31 Jan 2026 12:34:56 GMT" (RFC 9110 5.6.7); writes CLOCK_HTTP_LEN bytes and a NUL. */
void clock_format_http(int64_t wall_ms, char out[CLOCK_HTTP_LEN + 1]);

#endif
