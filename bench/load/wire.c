/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void flush(Wire *wire) {
    ssize_t taken = 0;
    if (wire->out.len > 0) taken = send(wire->watch.fd, wire->out.data, wire->out.len, MSG_NOSIGNAL);
    if (taken > 0) buf_consume(&wire->out, (size_t)taken);
    if (wire->out.len > 0) return;
    buf_deinit(&wire->out);
    loop_change(wire->loop, &wire->watch, EPOLLIN);
}

static void on_ready(Watch *watch, uint32_t events) {
    Wire *wire = (Wire *)watch;
    if (events & EPOLLOUT) flush(wire);
    if (events & ~(uint32_t)EPOLLOUT) wire->on_readable(wire);
}

static void make_narrow(int fd) {
    int segment = 1448;
    int window = 16 * 1024;
    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
}

void wire_open(Wire *wire, Loop *loop, const struct sockaddr_in *server, bool is_narrow,
               void (*on_readable)(Wire *wire)) {
    *wire = (Wire){.loop = loop, .on_readable = on_readable, .out = BUF_NONE};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        loop_tell(loop, "no socket: %s", strerror(errno));
        return;
    }
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (is_narrow) make_narrow(fd);
    if (connect(fd, (const struct sockaddr *)server, sizeof *server) != 0 && errno != EINPROGRESS) {
        loop_tell(loop, "cannot connect: %s", strerror(errno));
        close(fd);
        return;
    }
    wire->watch = (Watch){.fd = fd, .on_ready = on_ready};
    wire->is_open = true;
    loop_add(loop, &wire->watch, EPOLLIN | EPOLLOUT);
}

void wire_close(Wire *wire) {
    if (!wire->is_open) return;
    wire->is_open = false;
    loop_remove(wire->loop, &wire->watch);
    close(wire->watch.fd);
    buf_deinit(&wire->out);
}

void wire_stop_reading(Wire *wire) {
    loop_change(wire->loop, &wire->watch, 0);
}

void wire_start_reading(Wire *wire) {
    if (wire->is_open) loop_change(wire->loop, &wire->watch, EPOLLIN);
}

void wire_send(Wire *wire, Str bytes) {
    if (!wire->is_open) return;
    if (wire->out.len == 0) {
        ssize_t taken = send(wire->watch.fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (taken > 0) bytes = str_make(bytes.data + taken, bytes.len - (size_t)taken);
        if (bytes.len == 0) return;
        loop_change(wire->loop, &wire->watch, EPOLLIN | EPOLLOUT);
    }
    buf_add(&wire->out, bytes);
}

int wire_read(Wire *wire, char *data, size_t cap) {
    ssize_t len = recv(wire->watch.fd, data, cap, 0);
    if (len >= 0) return (int)len;
    return errno == EAGAIN || errno == EINTR ? ERR_UNAVAILABLE : ERR_CLOSED;
}
