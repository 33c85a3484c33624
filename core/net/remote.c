/* SPDX-License-Identifier: Apache-2.0 */
#include "net/remote.h"

#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/address.h"

enum { ANSWER_MAX = 4 * 1024 * 1024, CHUNK = 16 * 1024 };

static int connect_to(const char *host, uint16_t port) {
    struct addrinfo *all = address_find(host, port);
    if (all == NULL) return -1;
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

static int send_all(int fd, Str bytes) {
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0) return ERR_UNAVAILABLE;
        bytes = str_make(bytes.data + sent, bytes.len - (size_t)sent);
    }
    return 0;
}

/* To the end of the connection. */
static int receive_all(int fd, Buf *answer) {
    char chunk[CHUNK];
    for (;;) {
        ssize_t len = recv(fd, chunk, sizeof chunk, 0);
        if (len == 0) return 0;
        if (len < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_TIMEOUT : ERR_UNAVAILABLE;
        if (answer->len + (size_t)len > ANSWER_MAX) return ERR_INVALID;
        buf_add(answer, str_make(chunk, (size_t)len));
    }
}

/* "HTTP/1.1 200 OK", head and body; the server sends no chunks. */
static int read_answer(const Buf *answer, int *status, Buf *body) {
    static const char start[] = "HTTP/1.1 ";
    enum { START_LEN = sizeof start - 1, STATUS_LEN = 3 };
    Str text = buf_str(answer);
    if (text.len < START_LEN + STATUS_LEN || memcmp(text.data, start, START_LEN) != 0)
        return ERR_INVALID;
    int number = 0;
    for (int i = 0; i < STATUS_LEN; i++) {
        char digit = text.data[START_LEN + i];
        if (digit < '0' || digit > '9') return ERR_INVALID;
        number = number * 10 + (digit - '0');
    }
    const char *end = memmem(text.data, text.len, "\r\n\r\n", 4);
    if (end == NULL) return ERR_INVALID;
    *status = number;
    buf_add(body, str_make(end + 4, text.len - (size_t)(end + 4 - text.data)));
    return 0;
}

static void encode(const RemoteRequest *request, Buf *out) {
    buf_addf(out, "%.*s %.*s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n",
             STR_ARG(request->method), STR_ARG(request->path));
    if (request->key.len > 0) buf_addf(out, "X-API-Key: %.*s\r\n", STR_ARG(request->key));
    buf_add(out, STR("\r\n"));
}

int remote_ask(const RemoteRequest *request, int *status, Buf *body) {
    int fd = connect_to(request->host, request->port);
    if (fd < 0) return ERR_CLOSED;
    struct timeval timeout = {.tv_sec = (time_t)request->timeout_s};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    Buf text = BUF_NONE;
    Buf answer = BUF_NONE;
    encode(request, &text);
    int err = send_all(fd, buf_str(&text));
    if (err == 0) err = receive_all(fd, &answer);
    if (err == 0) err = read_answer(&answer, status, body);
    close(fd);
    buf_deinit(&text);
    buf_deinit(&answer);
    return err;
}
