/* SPDX-License-Identifier: Apache-2.0
 *
 * meter: what a process has used so far: CPU time by the kernel's clock of the process, which counts
 * nanoseconds (/proc/PID/stat counts ticks of 10 ms), and memory.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Seconds on the clocks of the process. */
typedef struct MeterMark {
    double exact;         /* user and system, of all threads, also those that ended */
    double sampled, user; /* the same by samples, and what of it was user time */
} MeterMark;

typedef struct MeterCpu {
    double seconds, user_seconds;
} MeterCpu;

/* ERR_NOT_FOUND: there is no such process. */
WARN_UNUSED int meter_read(pid_t pid, MeterMark *mark);
MeterCpu meter_between(const MeterMark *begin, const MeterMark *end);

/* Proportional set size in bytes, or where the kernel does not tell it, the resident one. Without mapped files: how
 * much of its program and libraries a process has touched says nothing about what it keeps. */
WARN_UNUSED int meter_read_memory(pid_t pid, int64_t *bytes);

#endif
