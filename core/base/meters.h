/* SPDX-License-Identifier: Apache-2.0
 *
 * meters: what plugins count and measure, for all workers of the node together: families (a name, a kind, a
 * help) of series (the same with labels). The set of families and series is guarded by one lock and bounded;
 * a series, once found, is counted in without it, by atomic operations, so it is kept as long as the set.
 * Any thread.
 */
#ifndef BASE_METERS_H
#define BASE_METERS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

typedef struct Meters Meters; /* the set */
typedef struct Meter Meter;   /* one series */

typedef enum { METERS_COUNTER, METERS_GAUGE, METERS_HISTOGRAM } MeterKind;

enum { METERS_BUCKETS_MAX = 32 };

/* All borrowed. */
typedef struct MeterFamily {
    Str name; /* as Prometheus wants them, without our prefix */
    Str help; /* one line */
    MeterKind kind;
    const double *bounds; /* of a histogram: rising upper bounds */
    size_t bound_count;   /* at most METERS_BUCKETS_MAX */
} MeterFamily;

Meters *meters_new(uint32_t series_max); /* gives */
void meters_free(Meters *meters);        /* takes, when nobody counts any more; NULL is fine */

/* ERR_EXISTS: there is one of that name, of another kind or with other bounds. The same again is fine. */
WARN_UNUSED int meters_declare(Meters *meters, const MeterFamily *family);

/* The series with these labels, `a="b",c="d"`, made if there is none. It is the set's. ERR_NOT_FOUND: no such
 * family. ERR_LIMIT: there are series_max series. */
WARN_UNUSED int meters_find(Meters *meters, Str family, Str labels, Meter **out);

void meters_add(Meter *meter, double amount);    /* to a counter or gauge */
void meters_set(Meter *meter, double value);     /* a gauge */
void meters_observe(Meter *meter, double value); /* by a histogram */

/* Appends all in the Prometheus text format, each name with the prefix "chatty_plugin_". */
void meters_encode(Meters *meters, Buf *out);

#endif
