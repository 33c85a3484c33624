/* SPDX-License-Identifier: Apache-2.0 */
#include "net/poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "base/ensure.h"

enum { EVENTS_MAX = 256, ROUNDS_MAX = 16 };

static void on_readable(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    const Poller *poller = poll->data;
    struct epoll_event ready[EVENTS_MAX];
    int count = EVENTS_MAX;
    for (int round = 0; round < ROUNDS_MAX && count == EVENTS_MAX; round++) {
        count = epoll_wait(poller->fd, ready, EVENTS_MAX, 0);
        for (int i = 0; i < count; i++) {
            if (i + 1 < count) __builtin_prefetch(ready[i + 1].data.ptr);
            poller->on_ready(ready[i].data.ptr, ready[i].events);
        }
    }
}

void poller_init(Poller *poller, uv_loop_t *loop, PollerOnReady on_ready) {
    poller->on_ready = on_ready;
    poller->fd = epoll_create1(EPOLL_CLOEXEC);
    ensure(poller->fd >= 0);
    ensure(uv_poll_init(loop, &poller->poll, poller->fd) == 0);
    poller->poll.data = poller;
    ensure(uv_poll_start(&poller->poll, UV_READABLE, on_readable) == 0);
    uv_unref((uv_handle_t *)&poller->poll);
}

void poller_deinit(Poller *poller) {
    close(poller->fd);
}

bool poller_watch(Poller *poller, int fd, uint32_t before, uint32_t events, void *target) {
    if (before == events) return true;
    int change = before == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    struct epoll_event wanted = {.events = events, .data.ptr = target};
    return epoll_ctl(poller->fd, change, fd, &wanted) == 0;
}
