/* SPDX-License-Identifier: Apache-2.0
 *
 * wire: one TCP connection to the server, without blocking: connects, sends what it is given (and keeps
 * what the kernel does not take yet), and tells its owner when there is something to read. Embedded in
 * what it serves. One thread.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <netinet/in.h>

#include "base/buf.h"
#include "loop.h"

typedef struct Wire Wire;
struct Wire {
    Watch watch; /* first, so that a Watch is its Wire */
    Loop *loop;
    void (*on_readable)(Wire *wire); /* once connected: at least one byte, or the end */
    Buf out;                         /* not taken by the kernel yet */
    bool is_open;
};

/* Begins to connect; what is sent meanwhile waits. Trouble is told to the loop. A narrow one has the segments of an
 * Ethernet and a small window, so that the kernels take some tens of kilobytes of what is not read, and not
 * megabytes, as they do over loopback. */
void wire_open(Wire *wire, Loop *loop, const struct sockaddr_in *server, bool is_narrow,
               void (*on_readable)(Wire *wire));
void wire_close(Wire *wire); /* at once; may be repeated, also on a zeroed Wire */

/* Nothing is read until it is started again. */
void wire_stop_reading(Wire *wire);
void wire_start_reading(Wire *wire);

void wire_send(Wire *wire, Str bytes);

/* What is there, at most `cap` bytes: how many; 0 at the end of the stream, ERR_UNAVAILABLE when there is
 * nothing now, ERR_CLOSED when the connection broke. */
WARN_UNUSED int wire_read(Wire *wire, char *data, size_t cap);

#endif
