/* SPDX-License-Identifier: Apache-2.0
 *
 * Whoever queues puts the Conn into net->line; net_flush writes it. When the kernel does not take all,
 * the Conn is blocked until its socket is writable: what is queued meanwhile waits behind the rest.
 * A Conn that is closed stands in line to be freed.
 *
 * References are let go after a write, or by conn_free, never within conn_close: a fan-out may close a
 * Conn to which it owes the reference still (conn_write_unretained).
 */
#include "net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/metrics.h"
#include "net/stall.h"

typedef enum {
    STATE_OPEN,
    STATE_FINISHING, /* writes the rest of the queue */
    STATE_LINGERING, /* the FIN is sent, waits for the peer's */
    STATE_CLOSED     /* its socket is closed; in line */
} ConnState;

/* What a fan-out touches stands first, on as few lines of the cache as can be. */
struct Conn {
    int fd;
    uint8_t state : 2;   /* ConnState; of one byte with what a fan-out asks for */
    bool is_blocked : 1; /* the kernel's buffer is full */
    bool is_write_stopped : 1;
    bool is_write_ended : 1;
    bool is_in_line : 1;
    bool tells_drain : 1;
    bool is_reading : 1;
    bool has_ended : 1; /* the peer sent FIN */
    uint16_t watched;   /* epoll's events */
    Net *net;
    Conn *next; /* in line */
    Outbox outbox;
    const ConnHandler *handler;
    void *owner;
    List link;                  /* in net->conns */
    WheelTimer timer;           /* fires at or before the earlier one of the two deadlines */
    uint64_t owner_deadline_ms; /* 0: none */
    uint64_t own_deadline_ms;   /* of lingering, or of being blocked; 0: none */
    Stall stall;                /* of being blocked */
};

bool conn_is_taking(const Conn *conn) {
    return conn->state == STATE_OPEN && !conn->is_write_ended;
}

void *conn_owner(const Conn *conn) {
    return conn->owner;
}

Net *conn_net(const Conn *conn) {
    return conn->net;
}

void conn_set_handler(Conn *conn, const ConnHandler *handler, void *owner) {
    conn->handler = handler;
    conn->owner = owner;
    conn->tells_drain = handler != NULL && handler->on_drain != NULL;
}

void conn_tell_drain(Conn *conn, bool is_wanted) {
    conn->tells_drain = is_wanted;
}

bool conn_is_closing(const Conn *conn) {
    return conn->state != STATE_OPEN;
}

static void get_in_line(Conn *conn, NetLine *line) {
    if (conn->is_in_line) return;
    conn->is_in_line = true;
    conn->next = NULL;
    *line->end = conn;
    line->end = &conn->next;
}

/* Only what waits because the kernel took not all, or because writing was stopped, is known to wait. */
static bool is_waiting(const Conn *conn) {
    return conn->is_blocked || conn->is_write_stopped;
}

static void set_waiting(Conn *conn, bool is_blocked, bool is_write_stopped) {
    if (is_waiting(conn)) conn->net->queue_bytes -= conn->outbox.queued;
    conn->is_blocked = is_blocked;
    conn->is_write_stopped = is_write_stopped;
    if (is_waiting(conn)) conn->net->queue_bytes += conn->outbox.queued;
}

static void push(Conn *conn, Bytes *bytes, NetLine *line) {
    outbox_push(&conn->outbox, bytes);
    if (conn->is_blocked) conn->stall.left += bytes->len;
    if (is_waiting(conn)) {
        conn->net->queue_bytes += bytes->len;
    } else {
        get_in_line(conn, line);
    }
}

static void pop(Conn *conn, size_t len) {
    if (is_waiting(conn)) conn->net->queue_bytes -= len;
    conn->net->sent_bytes += len;
    outbox_pop(&conn->outbox, conn->net, len);
}

/* --- deadlines --- */

/* A timer that fires too early is armed again by on_fire: to move a deadline back costs nothing. */
static void arm(Conn *conn) {
    if (conn->state == STATE_CLOSED) return;
    uint64_t deadline_ms = clock_earlier(conn->owner_deadline_ms, conn->own_deadline_ms);
    if (deadline_ms == 0) return;
    uint64_t armed_ms = conn->timer.deadline_ms;
    if (armed_ms != 0 && armed_ms <= deadline_ms) return;
    wheel_start(&conn->net->wheel, &conn->timer, deadline_ms);
}

static void set_own_deadline(Conn *conn, uint32_t timeout_ms) {
    conn->own_deadline_ms = net_now_ms(conn->net) + timeout_ms;
    arm(conn);
}

void conn_set_deadline(Conn *conn, uint64_t deadline_ms) {
    if (conn->state != STATE_OPEN) return;
    conn->owner_deadline_ms = deadline_ms;
    arm(conn);
}

void conn_put_off_deadline(Conn *conn, uint64_t deadline_ms) {
    if (conn->state != STATE_OPEN) return;
    conn->owner_deadline_ms = deadline_ms;
    wheel_stop(&conn->net->wheel, &conn->timer);
    arm(conn);
}

static void on_own_deadline(Conn *conn) {
    conn->own_deadline_ms = 0;
    if (conn->is_blocked && stall_has_eased(&conn->stall, &conn->outbox, conn->fd)) {
        set_own_deadline(conn, conn->net->limits.write_timeout_ms);
        return;
    }
    if (conn->is_blocked) metrics_add(METRIC_limit_hits_total, 1);
    conn_close(conn);
}

static void on_fire(WheelTimer *timer, uint64_t now_ms) {
    Conn *conn = list_entry(timer, Conn, timer);
    if (conn->own_deadline_ms != 0 && conn->own_deadline_ms <= now_ms) on_own_deadline(conn);
    if (conn->state == STATE_OPEN && conn->owner_deadline_ms != 0 &&
        conn->owner_deadline_ms <= now_ms) {
        conn->owner_deadline_ms = 0;
        if (conn->handler != NULL) conn->handler->on_timer(conn->owner);
    }
    arm(conn);
}

/* --- reading --- */

static void watch(Conn *conn) {
    uint16_t wanted = (uint16_t)((conn->is_reading ? EPOLLIN : 0) | (conn->is_blocked ? EPOLLOUT : 0));
    uint16_t before = conn->watched;
    conn->watched = wanted;
    if (!poller_watch(&conn->net->poller, conn->fd, before, wanted, conn)) conn_close(conn);
}

static void stop_reading(Conn *conn) {
    conn->is_reading = false;
    watch(conn);
}

static void on_peer_end(Conn *conn) {
    conn->has_ended = true;
    stop_reading(conn);
    if (conn->state == STATE_LINGERING) {
        conn_close(conn);
    } else if (conn->state == STATE_OPEN && conn->handler != NULL) {
        conn->handler->on_end(conn->owner);
    }
}

static void on_readable(Conn *conn) {
    char *buffer = conn->net->read_buffer;
    __builtin_prefetch(conn->owner); /* comes while the kernel reads */
    ssize_t len = recv(conn->fd, buffer, NET_READ_BUFFER_SIZE, 0);
    if (len == 0) {
        on_peer_end(conn);
    } else if (len < 0) {
        if (errno != EAGAIN && errno != EINTR) conn_close(conn);
    } else {
        metrics_add(METRIC_bytes_received_total, len);
        if (conn->state != STATE_OPEN || conn->handler == NULL) return;
        conn->handler->on_data(conn->owner, str_make(buffer, (size_t)len));
    }
}

static void start_reading(Conn *conn) {
    if (conn->is_reading || conn->has_ended || conn->state == STATE_CLOSED) return;
    conn->is_reading = true;
    watch(conn);
}

void conn_read_start(Conn *conn) {
    if (conn->state == STATE_OPEN) start_reading(conn);
}

void conn_read_stop(Conn *conn) {
    if (conn->is_reading && conn->state == STATE_OPEN) stop_reading(conn);
}

/* --- writing --- */

static void send_fin(Conn *conn) {
    if (conn->has_ended || shutdown(conn->fd, SHUT_WR) != 0) {
        conn_close(conn);
        return;
    }
    conn->state = STATE_LINGERING;
    set_own_deadline(conn, conn->net->limits.close_timeout_ms);
}

uint32_t conn_age_ms(Conn *conn) {
    return stall_age_ms(&conn->stall, &conn->outbox, net_now_ms(conn->net));
}

static void on_empty(Conn *conn) {
    if (conn->state == STATE_FINISHING) {
        send_fin(conn);
    } else if (conn->tells_drain) {
        conn->handler->on_drain(conn->owner);
    }
}

static void block(Conn *conn) {
    set_waiting(conn, true, conn->is_write_stopped);
    stall_start(&conn->stall, &conn->outbox, conn->fd, net_now_ms(conn->net));
    set_own_deadline(conn, conn->net->limits.write_timeout_ms);
    watch(conn);
}

/* As send, which in a program with threads costs more: it is a place where a thread may be cancelled. */
static ssize_t send_single(int fd, const Bytes *bytes) {
    return syscall(SYS_sendto, fd, bytes->data, (size_t)bytes->len, MSG_NOSIGNAL, NULL, 0);
}

static void write_out(Conn *conn) {
    while (conn->outbox.count > 0) {
        size_t total;
        ssize_t written = outbox_write(&conn->outbox, conn->fd, &total);
        if (written < 0 && errno != EAGAIN && errno != EINTR) {
            conn_close(conn);
            return;
        }
        if (written > 0) pop(conn, (size_t)written);
        if (written < 0 || (size_t)written < total) {
            block(conn);
            return;
        }
    }
    on_empty(conn);
}

/* A single frame goes by send, which is the shorter way into the kernel. */
static void write_single(Conn *conn, Bytes *single) {
    ssize_t sent = send_single(conn->fd, single);
    if (sent != (ssize_t)single->len) {
        if (sent > 0) pop(conn, (size_t)sent);
        write_out(conn);
        return;
    }
    conn->net->sent_bytes += single->len;
    outbox_pop_single(&conn->outbox);
    net_release(conn->net, single);
    on_empty(conn);
}

void conn_flush(Conn *conn) {
    if (is_waiting(conn) || conn->outbox.count == 0) return;
    Bytes *single = outbox_single(&conn->outbox);
    if (single != NULL) {
        write_single(conn, single);
    } else {
        write_out(conn);
    }
}

static void on_writable(Conn *conn) {
    set_waiting(conn, false, conn->is_write_stopped);
    conn->own_deadline_ms = 0;
    watch(conn);
    if (conn->state != STATE_CLOSED) write_out(conn);
    if (!conn->is_blocked) stall_end(&conn->stall);
}

/* What hung up or failed counts as ready for what was asked. */
void conn_on_ready(void *target, uint32_t events) {
    Conn *conn = target;
    bool can_read = (events & ~(uint32_t)EPOLLOUT) != 0;
    bool can_write = (events & ~(uint32_t)EPOLLIN) != 0;
    if (can_read && conn->is_reading && conn->state != STATE_CLOSED) on_readable(conn);
    if (can_write && conn->is_blocked && conn->state != STATE_CLOSED) on_writable(conn);
}

bool conn_write_unretained(Conn *conn, Bytes *bytes) {
    if (!conn_is_taking(conn)) return false;
    push(conn, bytes, &conn->net->crowd);
    return true;
}

bool conn_try_write_unretained(Conn *conn, Bytes *bytes) {
    Outbox *outbox = &conn->outbox;
    if (is_waiting(conn) || !conn_is_taking(conn)) return false;
    if (outbox->count > 0 && outbox->queued + bytes->len > conn->net->load_bytes) return false;
    outbox_push(outbox, bytes);
    get_in_line(conn, &conn->net->crowd);
    return true;
}

/* The frame that has left in part stays. */
static uint32_t busy_slots(const Conn *conn) {
    return conn->outbox.written > 0;
}

/* What was dropped since was not taken by the peer. */
static void forget_dropped(Conn *conn, size_t len) {
    if (is_waiting(conn)) conn->net->queue_bytes -= len;
    if (conn->is_blocked) stall_drop(&conn->stall, &conn->outbox, len);
}

void conn_note(Conn *conn, const Delivery *delivery) {
    if (is_waiting(conn)) outbox_note(&conn->outbox, delivery);
}

void conn_supersede(Conn *conn, const Delivery *delivery) {
    if (!is_waiting(conn)) return;
    forget_dropped(conn, outbox_supersede(&conn->outbox, conn->net, busy_slots(conn), delivery));
}

void conn_expire(Conn *conn) {
    uint64_t now_ms = net_now_ms(conn->net);
    forget_dropped(conn, outbox_expire(&conn->outbox, conn->net, busy_slots(conn), now_ms));
}

uint32_t conn_waiting(const Conn *conn) {
    return conn->outbox.count;
}

void conn_write(Conn *conn, Bytes *bytes) {
    if (conn_is_taking(conn)) {
        push(conn, bytes, &conn->net->line);
    } else {
        bytes_release(bytes);
    }
}

void conn_write_stop(Conn *conn) {
    if (conn->state == STATE_OPEN) set_waiting(conn, conn->is_blocked, true);
}

void conn_write_start(Conn *conn) {
    set_waiting(conn, conn->is_blocked, false);
    if (conn->outbox.count > 0 && !conn->is_blocked) get_in_line(conn, &conn->net->line);
}

void conn_write_end(Conn *conn) {
    conn->is_write_ended = true;
}

void conn_watch_peer(Conn *conn, uint32_t timeout_ms) {
    setsockopt(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

bool conn_is_blocked(const Conn *conn) {
    return conn->is_blocked;
}

size_t conn_queued(const Conn *conn) {
    return conn->outbox.queued;
}

/* --- opening and closing --- */

Conn *conn_open(Net *net, int fd) {
    if (net->conn_count >= net->limits.connections_max) {
        metrics_add(METRIC_limit_hits_total, 1);
        close(fd);
        return NULL;
    }
    Conn *conn = pool_zalloc(&net->pool, sizeof *conn);
    conn->fd = fd;
    conn->net = net;
    outbox_init(&conn->outbox);
    wheel_timer_init(&conn->timer, on_fire);
    list_add(&net->conns, &conn->link);
    net->conn_count++;
    metrics_add(METRIC_connections, 1);
    return conn;
}

Conn *conn_adopt(Net *net, int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    return conn_open(net, fd);
}

/* The descriptor that is given keeps the socket open, so closing ours would not take it out of the set. */
int conn_give_fd(Conn *conn) {
    if (conn->state != STATE_OPEN) return -1;
    ensure(conn->outbox.count == 0);
    int given = fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);
    if (given < 0) return -1;
    stop_reading(conn);
    conn_close(conn);
    return given;
}

void conn_finish(Conn *conn) {
    if (conn->state != STATE_OPEN) return;
    conn->state = STATE_FINISHING;
    conn->owner_deadline_ms = 0;
    start_reading(conn);
    conn_write_start(conn);
    if (conn->outbox.count == 0) send_fin(conn);
}

/* Behind on_close it is gone. */
static void conn_free(Conn *conn) {
    Net *net = conn->net;
    if (conn->handler != NULL) conn->handler->on_close(conn->owner);
    outbox_deinit(&conn->outbox);
    list_remove(&conn->link);
    net->conn_count--;
    metrics_add(METRIC_connections, -1);
    pool_free(&net->pool, conn, sizeof *conn);
}

void conn_close(Conn *conn) {
    if (conn->state == STATE_CLOSED) return;
    Net *net = conn->net;
    conn->state = STATE_CLOSED;
    wheel_stop(&net->wheel, &conn->timer);
    set_waiting(conn, false, false);
    close(conn->fd);
    get_in_line(conn, &net->line);
}

/* --- the line --- */

void conn_flush_line(NetLine *line, uint32_t max) {
    for (uint32_t left = max; left > 0 && line->first != NULL; left--) {
        Conn *conn = line->first;
        conn->is_in_line = false;
        line->first = conn->next;
        if (line->first == NULL) line->end = &line->first;
        __builtin_prefetch(line->first); /* comes while the kernel writes */
        if (conn->state == STATE_CLOSED) {
            conn_free(conn);
        } else {
            conn_flush(conn);
        }
    }
}

/* --- the peer --- */

Address conn_remote(const Conn *conn) {
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    getpeername(conn->fd, (struct sockaddr *)&address, &len);
    return address_of((const struct sockaddr *)&address);
}

/* Closing is asynchronous, so no Conn leaves the list while it is walked. */
void conn_each(Net *net, const ConnHandler *handler, void (*visit)(void *owner, void *context),
               void *context) {
    for (List *at = net->conns.next; at != &net->conns; at = at->next) {
        Conn *conn = list_entry(at, Conn, link);
        if (conn->handler == handler) visit(conn->owner, context);
    }
}

void conn_close_all(Net *net) {
    for (List *at = net->conns.next; at != &net->conns; at = at->next) {
        conn_close(list_entry(at, Conn, link));
    }
}
