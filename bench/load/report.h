/* SPDX-License-Identifier: Apache-2.0
 *
 * report: what a run found, and how it is told: as lines for people, or as one JSON object.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "histogram.h"
#include "meter.h"
#include "plan.h"

/* A phase: so many things in so long, at the cost of so much CPU of the server. */
typedef struct ReportPhase {
    uint64_t count;
    double seconds;
    MeterCpu cpu;
} ReportPhase;

typedef struct Report {
    int pid; /* of the server; 0: nothing is known of CPU and memory */
    ReportPhase fill, subscribe, connect, idle, replay, unsubscribe,
        leave;            /* idle: count is of sessions */
    bool has_left;        /* every session was closed as it should be */
    int64_t peak_bytes;   /* of the whole process, looked at once a second while it is notified */
    uint64_t slow_cut;    /* slow sessions that the server closed */
    int64_t replay_bytes; /* that the server has more after the replay */
    int64_t fill_bytes;   /* memory that all the fill took */
    double session_bytes; /* that each further session took, behind the first ones */
    int64_t start_bytes, full_bytes,
        rest_bytes;               /* of the process before the sessions, with them, after --rest */
    ReportPhase notify, deliver;  /* the same phase, counted in events and in deliveries */
    Histogram answers, latencies; /* nanoseconds */
    uint64_t expected, received, lost, repeated, strange;
    uint64_t disordered; /* sessions that saw another order than others of their channel */
    const char *trouble; /* what ended the run early; NULL: nothing */
} Report;

bool report_is_good(const Report *report);

void report_print(const Report *report, const Plan *plan);
void report_print_json(const Report *report, const Plan *plan);

#endif
