/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor: what fan-out costs when a server does nothing else. One thread, one epoll, no registry, no
 * JSON, no authentication: every WebSocket is a subscriber of everything, and the body of every POST,
 * made into a frame once, goes to all of them by one plain send each.
 *
 *     floor PORT            one send for each subscriber and event
 *     floor PORT batched    one send for each subscriber and turn of the loop, with all events of that turn
 *     floor PORT pings      as the first, and a ping for each subscriber every 25 seconds
 *     floor PORT workers N  as the first, by N threads, each with its own subscribers; events come by a pipe
 *
 * It trusts its clients, so it is good for measuring alone. Answers are sent before the fan-out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/digest.h"

enum { PING_SECONDS = 25, CLOSE = 0x88 };
enum { WORKERS_MAX = 16 };
enum { EVENTS_AT_ONCE = 512, READ_CAP = 65536, BACKLOG = 4096, LENGTH_16 = 126, FIN_TEXT = 0x81 };

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
#define UPGRADE                                                              \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: " \
    "Upgrade\r\nSec-WebSocket-Accept: "
#define WEBSOCKET_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define CLOSE_FRAME "\x88\x02\x03\xe8"
#define PING_FRAME "\x89\x00"

typedef struct Peer {
    int fd;
    int place; /* among the subscribers; -1: it is none */
    Buf in;
} Peer;

static int port;
static bool is_batched;
static int worker_count = 1;
static int pipes[WORKERS_MAX]
                [2]; /* of each worker: where it reads the frames of others, and they write */

/* A worker's own. */
static _Thread_local int self;
static _Thread_local int epoll;
static _Thread_local Peer **subscribers;
static _Thread_local size_t subscriber_count, subscriber_cap;
static _Thread_local Buf frames; /* of this turn, when batched */
static _Thread_local char scratch[READ_CAP];

static void send_all(int fd, Str bytes) {
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return;
        if (sent < 0) poll(&(struct pollfd){fd, POLLOUT, 0}, 1, -1);
        if (sent > 0) bytes = str_make(bytes.data + sent, bytes.len - (size_t)sent);
    }
}

static void send_to_subscribers(void) {
    for (size_t i = 0; i < subscriber_count; i++) send_all(subscribers[i]->fd, buf_str(&frames));
    buf_clear(&frames);
}

static void add_frame(Str body) {
    buf_add_char(&frames, (char)FIN_TEXT);
    if (body.len < LENGTH_16) {
        buf_add_char(&frames, (char)body.len);
    } else {
        buf_add_char(&frames, (char)LENGTH_16);
        buf_add_char(&frames, (char)(body.len >> 8));
        buf_add_char(&frames, (char)(body.len & 0xFF));
    }
    buf_add(&frames, body);
}

static void add_subscriber(Peer *peer) {
    if (subscriber_count == subscriber_cap) {
        subscriber_cap = subscriber_cap ? subscriber_cap * 2 : 1024;
        subscribers = mem_grow(subscribers, subscriber_cap, sizeof *subscribers);
    }
    peer->place = (int)subscriber_count;
    subscribers[subscriber_count++] = peer;
}

static void close_peer(Peer *peer) {
    if (peer->place >= 0) {
        Peer *last = subscribers[--subscriber_count];
        subscribers[peer->place] = last;
        last->place = peer->place;
    }
    close(peer->fd);
    buf_deinit(&peer->in);
    mem_free(peer);
}

/* The value of a header; the head ends with a line end. */
static Str find_header(Str head, Str name) {
    const char *at = memmem(head.data, head.len, name.data, name.len);
    if (at == NULL) return STR_NONE;
    at += name.len;
    const char *end = memchr(at, '\r', (size_t)(head.data + head.len - at));
    return str_trim(str_make(at, (size_t)(end - at)));
}

static void upgrade(Peer *peer, Str key) {
    Buf text = BUF_NONE;
    Buf out = BUF_NONE;
    buf_add(&text, key);
    buf_add(&text, STR(WEBSOCKET_GUID));
    buf_add(&out, STR(UPGRADE));
    digest_sha1_base64(buf_str(&text), &out);
    buf_add(&out, STR("\r\n\r\n"));
    send_all(peer->fd, buf_str(&out));
    buf_deinit(&text);
    buf_deinit(&out);
    add_subscriber(peer);
}

static void tell_others(void) {
    for (int i = 0; i < worker_count; i++) {
        if (i != self && write(pipes[i][1], frames.data, frames.len) < 0) perror("floor");
    }
}

static void publish(Peer *peer, Str body) {
    send_all(peer->fd, STR(ANSWER));
    add_frame(body);
    tell_others();
    if (!is_batched) send_to_subscribers();
}

/* Takes one whole request from the front; false when it is not all there. */
static bool take_request(Peer *peer, Str *text) {
    const char *end = text->len ? memmem(text->data, text->len, "\r\n\r\n", 4) : NULL;
    if (end == NULL) return false;
    Str head = str_make(text->data, (size_t)(end - text->data) + 2);
    Str key = find_header(head, STR("Sec-WebSocket-Key:"));
    int64_t length = 0;
    if (text_parse_number(find_header(head, STR("Content-Length:")), &length) != 0) length = 0;
    size_t total = head.len + 2 + (size_t)length;
    if (text->len < total) return false;
    if (key.len > 0) {
        upgrade(peer, key);
    } else {
        publish(peer, str_make(text->data + head.len + 2, (size_t)length));
    }
    *text = str_make(text->data + total, text->len - total);
    return true;
}

static void on_readable(Peer *peer) {
    ssize_t len = recv(peer->fd, scratch, sizeof scratch, 0);
    if (len < 0 && errno == EAGAIN) return;
    bool is_subscriber = peer->place >= 0; /* who says pong, or goodbye */
    bool is_goodbye = is_subscriber && len > 0 && (unsigned char)scratch[0] == CLOSE;
    if (is_goodbye) send_all(peer->fd, STR(CLOSE_FRAME));
    if (len <= 0 || is_goodbye) close_peer(peer);
    if (len <= 0 || is_subscriber) return;
    Str text = str_make(scratch, (size_t)len);
    if (peer->in.len > 0) {
        buf_add(&peer->in, text);
        text = buf_str(&peer->in);
    }
    while (text.len > 0 && take_request(peer, &text)) continue;
    Buf rest = BUF_NONE;
    buf_add(&rest, text);
    buf_deinit(&peer->in);
    peer->in = rest;
}

static void accept_all(int listener) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        Peer *peer = mem_zalloc(sizeof *peer);
        peer->fd = fd;
        peer->place = -1;
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = peer});
    }
}

static int open_listener(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0) {
        perror("floor");
        exit(1);
    }
    return fd;
}

static void ping_all(int timer) {
    uint64_t times;
    if (read(timer, &times, sizeof times) < 0) return;
    for (size_t i = 0; i < subscriber_count; i++) send_all(subscribers[i]->fd, str_make(PING_FRAME, 2));
}

static int open_timer(void) {
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec every = {{PING_SECONDS, 0}, {PING_SECONDS, 0}};
    timerfd_settime(timer, 0, &every, NULL);
    return timer;
}

static void hear_others(int pipe) {
    ssize_t len = read(pipe, scratch, sizeof scratch);
    if (len > 0) buf_add(&frames, str_make(scratch, (size_t)len));
    send_to_subscribers();
}

static void turn(int listener, const Peer *timer, const Peer *others) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(epoll, events, EVENTS_AT_ONCE, -1);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL) {
            accept_all(listener);
        } else if (events[i].data.ptr == timer) {
            ping_all(timer->fd);
        } else if (events[i].data.ptr == others) {
            hear_others(others->fd);
        } else {
            on_readable(events[i].data.ptr);
        }
    }
    if (frames.len > 0) send_to_subscribers();
}

static void watch(int fd, void *target) {
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = target});
}

/* `timer` < 0: no pings. */
static void work(int worker, int timer) {
    self = worker;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = open_listener();
    Peer pings = {.fd = timer, .place = -1};
    Peer others = {.fd = pipes[worker][0], .place = -1};
    watch(listener, NULL);
    watch(others.fd, &others);
    if (timer >= 0) watch(timer, &pings);
    for (;;) turn(listener, &pings, &others);
}

static void *run_thread(void *worker) {
    work((int)(intptr_t)worker, -1);
    return NULL;
}

static bool take_mode(const char *mode, const char *value) {
    is_batched = strcmp(mode, "batched") == 0;
    bool has_workers = strcmp(mode, "workers") == 0;
    if (has_workers && value != NULL) worker_count = (int)strtol(value, NULL, 10);
    bool is_known = is_batched || has_workers || strcmp(mode, "pings") == 0;
    return is_known && worker_count >= 1 && worker_count <= WORKERS_MAX;
}

int main(int argc, char **argv) {
    bool has_mode = argc > 2;
    if (argc < 2 || (has_mode && !take_mode(argv[2], argv[3]))) {
        fputs("usage: floor PORT [batched | pings | workers N]\n", stderr);
        return 2;
    }
    if (digest_setup() != 0) return 1;
    port = (int)strtol(argv[1], NULL, 10);
    for (int i = 0; i < worker_count; i++) {
        if (pipe(pipes[i]) != 0) return 1;
    }
    pthread_t thread;
    for (int i = 1; i < worker_count; i++)
        pthread_create(&thread, NULL, run_thread, (void *)(intptr_t)i);
    work(0, has_mode && strcmp(argv[2], "pings") == 0 ? open_timer() : -1);
}
