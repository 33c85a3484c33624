/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/ensure.h"

enum { EVENTS_AT_ONCE = 512 };

static const uint64_t NS_PER_SECOND = 1000000000;
static const uint64_t TURN_NS = 50000000; /* so that conditions of time are looked at */

static volatile sig_atomic_t is_interrupted;

void loop_interrupt(void) {
    is_interrupted = 1;
}

uint64_t loop_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

int loop_init(Loop *loop) {
    *loop = (Loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    return loop->epoll < 0 ? ERR_IO : 0;
}

void loop_deinit(Loop *loop) {
    close(loop->epoll);
}

static void control(Loop *loop, int operation, Watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    ensure(epoll_ctl(loop->epoll, operation, watch->fd, &event) == 0);
}

void loop_add(Loop *loop, Watch *watch, uint32_t events) {
    control(loop, EPOLL_CTL_ADD, watch, events);
}

void loop_change(Loop *loop, Watch *watch, uint32_t events) {
    control(loop, EPOLL_CTL_MOD, watch, events);
}

void loop_remove(Loop *loop, Watch *watch) {
    control(loop, EPOLL_CTL_DEL, watch, 0);
}

void loop_tell(Loop *loop, const char *format, ...) {
    if (loop->trouble[0] != '\0') return;
    va_list args;
    va_start(args, format);
    vsnprintf(loop->trouble, sizeof loop->trouble, format, args);
    va_end(args);
}

static void call_every_second(Loop *loop) {
    uint64_t now = loop_now_ns();
    if (loop->on_second == NULL || now < loop->next_second_ns) return;
    if (loop->next_second_ns != 0) loop->on_second(loop->context);
    loop->next_second_ns = now + NS_PER_SECOND;
}

void loop_turn(Loop *loop, uint64_t wait_ns) {
    struct epoll_event events[EVENTS_AT_ONCE];
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / NS_PER_SECOND),
                            .tv_nsec = (long)(wait_ns % NS_PER_SECOND)};
    int count = epoll_pwait2(loop->epoll, events, EVENTS_AT_ONCE, &wait, NULL);
    if (count < 0 && errno != EINTR) loop_tell(loop, "epoll failed: %s", strerror(errno));
    if (is_interrupted) loop_tell(loop, "interrupted");
    for (int i = 0; i < count; i++) {
        Watch *watch = events[i].data.ptr;
        watch->on_ready(watch, events[i].events);
    }
    call_every_second(loop);
}

int loop_until(Loop *loop, const LoopGoal *goal) {
    uint64_t last_moved = loop_now_ns();
    uint64_t progress = goal->progress ? goal->progress(goal->context) : 0;
    while (!goal->is_over(goal->context)) {
        if (loop->trouble[0] != '\0') return ERR_IO;
        uint64_t now = loop_now_ns();
        if (goal->progress != NULL && goal->progress(goal->context) != progress) {
            progress = goal->progress(goal->context);
            last_moved = now;
        }
        if (now - last_moved > goal->timeout_ns) return ERR_TIMEOUT;
        loop_turn(loop, TURN_NS);
    }
    return loop->trouble[0] != '\0' ? ERR_IO : 0;
}

int loop_for(Loop *loop, uint64_t ns) {
    uint64_t end = loop_now_ns() + ns;
    for (uint64_t now = loop_now_ns(); now < end; now = loop_now_ns()) {
        if (loop->trouble[0] != '\0') return ERR_IO;
        loop_turn(loop, end - now < TURN_NS ? end - now : TURN_NS);
    }
    return loop->trouble[0] != '\0' ? ERR_IO : 0;
}
