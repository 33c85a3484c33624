/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks of a process are those that clock_getcpuclockid gives; the kernel has three of them, told
 * apart by their lowest bits. The one that the scheduler counts is exact. What of it was user time is
 * sampled at ticks by most kernels, so its share is good over seconds, not over milliseconds.
 */
#include "meter.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CLOCK_BITS = 3, CLOCK_ALL = 0, CLOCK_USER = 1, CLOCK_SCHEDULED = 2 };

static int read_clock(pid_t pid, int kind, double *seconds) {
    clockid_t clock = (clockid_t)(~(unsigned)pid << CLOCK_BITS | (unsigned)kind);
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return ERR_NOT_FOUND;
    *seconds = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
    return 0;
}

int meter_read(pid_t pid, MeterMark *mark) {
    int err = read_clock(pid, CLOCK_SCHEDULED, &mark->exact);
    if (err == 0) err = read_clock(pid, CLOCK_ALL, &mark->sampled);
    if (err == 0) err = read_clock(pid, CLOCK_USER, &mark->user);
    return err;
}

MeterCpu meter_between(const MeterMark *begin, const MeterMark *end) {
    double sampled = end->sampled - begin->sampled;
    double share = sampled > 0 ? (end->user - begin->user) / sampled : 0;
    double seconds = end->exact - begin->exact;
    return (MeterCpu){seconds, seconds * share};
}

static bool is_named(const char *line, size_t len, const char *name) {
    return strlen(name) == len && memcmp(line, name, len) == 0;
}

/* The sum of the lines of both names. */
static int read_kilobytes(const char *path, const char *name, const char *other, int64_t *bytes) {
    FILE *file = fopen(path, "r");
    if (file == NULL) return ERR_NOT_FOUND;
    char line[256];
    int err = ERR_NOT_FOUND;
    long long kilobytes;
    *bytes = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        size_t len = strcspn(line, ":");
        bool is_asked = is_named(line, len, name) || is_named(line, len, other);
        if (!is_asked || sscanf(line + len, ": %lld kB", &kilobytes) != 1) continue;
        *bytes += kilobytes * 1024;
        err = 0;
    }
    fclose(file);
    return err;
}

int meter_read_memory(pid_t pid, int64_t *bytes) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    if (read_kilobytes(path, "Pss_Anon", "Pss_Shmem", bytes) == 0) return 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return read_kilobytes(path, "RssAnon", "RssShmem", bytes);
}
