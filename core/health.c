/* SPDX-License-Identifier: Apache-2.0 */
#include "health.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_S = 5 };

static int connect_to(const char *host, uint16_t port) {
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all;
    if (getaddrinfo(host[0] ? host : NULL, service, &hints, &all) != 0) return -1;
    int fd = -1;
    for (struct addrinfo *at = all; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    return fd;
}

int health_ask(const char *host, uint16_t port) {
    static const char request[] =
        "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static const char good[] = "HTTP/1.1 200 ";
    int fd = connect_to(host, port);
    if (fd < 0) return ERR_CLOSED;
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    char answer[sizeof good];
    ssize_t len = -1;
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof request - 1)) {
        len = recv(fd, answer, sizeof good - 1, MSG_WAITALL);
    }
    close(fd);
    bool is_good = len == (ssize_t)(sizeof good - 1) && memcmp(answer, good, sizeof good - 1) == 0;
    return is_good ? 0 : ERR_UNAVAILABLE;
}
