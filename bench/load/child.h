/* SPDX-License-Identifier: Apache-2.0
 *
 * child: a server of the tool's own: started in an empty folder, on a free port of 127.0.0.1, on the core
 * that it is given; ended and swept away when the tool is done with it.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

typedef struct Child {
    pid_t pid; /* 0: none */
    int port;
    char folder[64]; /* its working directory; what it prints goes to `log` there */
} Child;

/* Chooses the port and makes the folder. ERR_IO. */
WARN_UNUSED int child_init(Child *child);

/* Starts the command, in which {port} is filled, with the environment of this process; `core` < 0: any. */
WARN_UNUSED int child_start(Child *child, char **command, int core);

/* Waits until it accepts connections. ERR_CLOSED: it ended before; ERR_TIMEOUT. */
WARN_UNUSED int child_wait(const Child *child, int seconds);

/* The last `max` bytes of what it printed. */
void child_read_log(const Child *child, size_t max, Buf *out);

void child_stop(Child *child); /* may be repeated */

/* The calling process, and what it starts from now on, run on this core only. ERR_INVALID. */
WARN_UNUSED int child_pin(int core);

#endif
