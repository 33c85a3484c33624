/* SPDX-License-Identifier: Apache-2.0
 *
 * loop: waits for sockets (epoll) and calls who watches them, until a condition holds. The first
 * trouble that anybody tells ends the waiting. A Watch is embedded in what it serves and is borrowed
 * from loop_add to loop_remove. One thread.
 */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { LOOP_TROUBLE_MAX = 512 };

typedef struct Watch Watch;
struct Watch {
    int fd;
    void (*on_ready)(Watch *watch, uint32_t events); /* events of epoll; may remove its own watch */
};

typedef struct Loop {
    int epoll;
    uint64_t next_second_ns;
    void (*on_second)(void *context); /* about once a second while it waits; may be NULL */
    void *context;
    char trouble[LOOP_TROUBLE_MAX]; /* empty: all is well */
} Loop;

uint64_t loop_now_ns(void); /* monotonic */

WARN_UNUSED int loop_init(Loop *loop);
void loop_deinit(Loop *loop);

void loop_add(Loop *loop, Watch *watch, uint32_t events);
void loop_change(Loop *loop, Watch *watch, uint32_t events);
void loop_remove(Loop *loop, Watch *watch);

/* Keeps the first message; later ones are mostly its consequences. */
__attribute__((format(printf, 2, 3))) void loop_tell(Loop *loop, const char *format, ...);

/* From a signal handler: the trouble of every loop, from its next turn on. */
void loop_interrupt(void);

/* One wait of at most `wait_ns`, and the calls for what was ready. */
void loop_turn(Loop *loop, uint64_t wait_ns);

/* Turns until is_over(context), but not longer than `timeout_ns` without a change of progress(context).
 * ERR_TIMEOUT, or ERR_IO when there was trouble. */
typedef struct LoopGoal {
    bool (*is_over)(void *context);
    uint64_t (*progress)(void *context); /* a number that changes while there is hope; may be NULL */
    void *context;
    uint64_t timeout_ns;
} LoopGoal;
WARN_UNUSED int loop_until(Loop *loop, const LoopGoal *goal);

/* Turns for so long. ERR_IO when there was trouble. */
WARN_UNUSED int loop_for(Loop *loop, uint64_t ns);

#endif
