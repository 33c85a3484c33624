/* SPDX-License-Identifier: Apache-2.0
 *
 * Without a free descriptor the listening socket stays readable, so it is then looked at again a moment
 * later; the connections wait in the kernel's queue.
 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/address.h"

enum {
    BACKLOG = 4096,
    PAUSE_MS = 100,
    ACCEPTS_MAX = 64 /* before others have their turn */
};

struct Listener {
    uv_poll_t poll;   /* stopped while pausing */
    uv_timer_t pause; /* runs while pausing */
    int fd;
    ListenerOnConnect on_connect;
    void *context;
    bool is_starved; /* no descriptor was free at the last accept */
    bool is_closing;
    int open_handles;
};

/* --- binding --- */

static int err_of_errno(void) {
    switch (errno) {
    case EADDRINUSE: return ERR_EXISTS;
    case EACCES:
    case EPERM: return ERR_DENIED;
    case EADDRNOTAVAIL: return ERR_NOT_FOUND;
    default: return ERR_IO;
    }
}

static bool set_flag(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* Accepted sockets inherit TCP_NODELAY, which spares a system call for each. */
static bool set_options(int fd, int family, bool is_shared) {
    return set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) && set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
           (!is_shared || set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
           (family != AF_INET6 || set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0));
}

static int bind_address(const struct addrinfo *address, bool is_shared, int *fd) {
    int opened = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened < 0) return err_of_errno();
    if (!set_options(opened, address->ai_family, is_shared) ||
        bind(opened, address->ai_addr, address->ai_addrlen) != 0) {
        int err = err_of_errno();
        close(opened);
        return err;
    }
    *fd = opened;
    return 0;
}

static int bind_any(int family, uint16_t port, bool is_shared, int *fd) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_6 = family == AF_INET6;
    struct addrinfo address = {
        .ai_family = family,
        .ai_addr = is_6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in,
        .ai_addrlen = is_6 ? sizeof in6 : sizeof in,
    };
    return bind_address(&address, is_shared, fd);
}

/* An address in use is the answer; any other failure may only mean that there is no IPv6. */
static int bind_all(uint16_t port, bool is_shared, int *fd) {
    int err = bind_any(AF_INET6, port, is_shared, fd);
    if (err == 0 || err == ERR_EXISTS || err == ERR_DENIED) return err;
    return bind_any(AF_INET, port, is_shared, fd);
}

static int bind_host(const char *host, uint16_t port, bool is_shared, int *fd) {
    struct addrinfo *addresses = address_find(host, port);
    if (addresses == NULL) return ERR_NOT_FOUND;
    int err = ERR_NOT_FOUND;
    for (struct addrinfo *each = addresses; each != NULL && err != 0; each = each->ai_next) {
        err = bind_address(each, is_shared, fd);
        if (err == ERR_EXISTS || err == ERR_DENIED) break;
    }
    freeaddrinfo(addresses);
    return err;
}

static int bind_one(const char *host, uint16_t port, bool is_shared, int *fd) {
    if (host == NULL || host[0] == '\0') return bind_all(port, is_shared, fd);
    return bind_host(host, port, is_shared, fd);
}

static uint16_t port_of(int fd) {
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    ensure(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int listener_bind(const char *host, uint16_t port, int *fd, uint16_t *port_bound) {
    int err = bind_one(host, port, true, fd);
    if (err == 0) *port_bound = port_of(*fd);
    return err;
}

int listener_probe(const char *host, uint16_t port) {
    int fd;
    int err = bind_one(host, port, false, &fd);
    if (err == 0) close(fd);
    return err;
}

/* --- listening --- */

static void on_handle_closed(uv_handle_t *handle) {
    Listener *listener = handle->data;
    if (--listener->open_handles > 0) return;
    close(listener->fd);
    mem_free(listener);
}

static void on_resume(uv_timer_t *timer);

static void pause_accepting(Listener *listener) {
    if (!listener->is_starved) log_line(LOG_WARN, "no descriptor is free for a new connection");
    listener->is_starved = true;
    metrics_add(METRIC_limit_hits_total, 1);
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->pause, on_resume, PAUSE_MS, 0);
}

/* Whether there may be more. */
static bool accept_one(Listener *listener) {
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        listener->is_starved = false;
        listener->on_connect(listener->context, fd);
        return true;
    }
    if (errno == ECONNABORTED || errno == EINTR) return true;
    if (errno != EAGAIN) pause_accepting(listener);
    return false;
}

static void on_connection(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    Listener *listener = poll->data;
    for (int i = 0; i < ACCEPTS_MAX && !listener->is_closing; i++) {
        if (!accept_one(listener)) return;
    }
}

static void on_resume(uv_timer_t *timer) {
    Listener *listener = timer->data;
    uv_poll_start(&listener->poll, UV_READABLE, on_connection);
}

int listener_open(uv_loop_t *loop, int fd, ListenerOnConnect on_connect, void *context,
                  Listener **listener) {
    if (listen(fd, BACKLOG) != 0) {
        close(fd);
        return ERR_IO;
    }
    Listener *opened = mem_zalloc(sizeof *opened);
    *opened = (Listener){.fd = fd, .on_connect = on_connect, .context = context, .open_handles = 2};
    ensure(uv_timer_init(loop, &opened->pause) == 0);
    ensure(uv_poll_init(loop, &opened->poll, fd) == 0);
    opened->pause.data = opened->poll.data = opened;
    ensure(uv_poll_start(&opened->poll, UV_READABLE, on_connection) == 0);
    *listener = opened;
    return 0;
}

void listener_close(Listener *listener) {
    if (listener->is_closing) return;
    listener->is_closing = true;
    uv_close((uv_handle_t *)&listener->pause, on_handle_closed);
    uv_close((uv_handle_t *)&listener->poll, on_handle_closed);
}
