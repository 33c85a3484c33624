/* SPDX-License-Identifier: Apache-2.0
 *
 * run: one run of a plan, phase by phase: start or find the server, fill, subscribe, connect, idle,
 * notify, leave. One thread.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "report.h"

enum { RUN_TROUBLE_MAX = 2048 };

typedef struct Run Run;

/* Borrows the plan until run_free. Gives. */
Run *run_new(const Plan *plan);
void run_free(Run *run); /* takes; ends a server of its own */

/* Fills the report, also when trouble ended the run; its texts live as long as the run. */
void run_start(Run *run, Report *report);

#endif
