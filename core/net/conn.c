/* SPDX-License-Identifier: Apache-2.0
 *
 * Whoever queues puts the Conn on net->dirty; net_flush writes it. When the kernel does not take all,
 * the Conn is blocked until its socket is writable: what is queued meanwhile waits behind the rest.
 *
 * References are let go after a write, or by conn_free, never within conn_close: a fan-out may close a
 * Conn to which it owes the reference still (conn_write_unretained).
 */
#include "net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/metrics.h"

enum { BUFFERS_MAX = 64 };

typedef enum {
    STATE_OPEN,
    STATE_FINISHING, /* writes the rest of the queue */
    STATE_LINGERING, /* the FIN is sent, waits for the peer's */
    STATE_CLOSED     /* its socket is closed; in net->closing */
} ConnState;

/* What a fan-out touches stands first, on as few lines of the cache as can be. */
struct Conn {
    int fd;
    uint8_t state; /* ConnState */
    bool is_reading : 1;
    bool is_blocked : 1; /* the kernel's buffer is full */
    bool is_write_stopped : 1;
    bool is_write_ended : 1;
    bool tells_drain : 1;
    bool has_ended : 1; /* the peer sent FIN */
    uint16_t watched;   /* epoll's events */
    Net *net;
    List dirty_link; /* in net->dirty, when closed in net->closing, or alone */
    Outbox outbox;
    const ConnHandler *handler;
    void *owner;
    List link;                  /* in net->conns */
    WheelTimer timer;           /* fires at or before the earlier one of the two deadlines */
    uint64_t owner_deadline_ms; /* 0: none */
    uint64_t own_deadline_ms;   /* of lingering, or of being blocked; 0: none */
    size_t left; /* blocked: not taken by the peer when we last looked for progress, and queued since */
    uint32_t aged_ms; /* blocked: since when aged_slot waits at least, low bits; 0: it is not blocked */
    uint32_t aged_slot; /* the last one of the queue at that time, by its number (outbox.h) */
};

bool conn_is_taking(const Conn *conn) {
    return conn->state == STATE_OPEN && !conn->is_write_ended;
}

Conn *conn_of_dirty(List *link) {
    return list_entry(link, Conn, dirty_link);
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

static void mark_dirty(Conn *conn) {
    if (conn->is_blocked || conn->is_write_stopped || !list_is_empty(&conn->dirty_link)) return;
    list_add(&conn->net->dirty, &conn->dirty_link);
}

static void push(Conn *conn, Bytes *bytes) {
    outbox_push(&conn->outbox, bytes);
    conn->net->queue_bytes += bytes->len;
    if (conn->is_blocked) conn->left += bytes->len;
    mark_dirty(conn);
}

static void pop(Conn *conn, size_t len) {
    Net *net = conn->net;
    net->queue_bytes -= len;
    net->sent_bytes += len;
    outbox_pop(&conn->outbox, net, len);
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

/* What the peer has not taken, the kernel's buffer included: it holds megabytes, and does not tell
 * of room before a third of it is free, which takes a slow peer longer than any timeout. */
static size_t not_taken(const Conn *conn) {
    int buffered = 0;
    ioctl(conn->fd, SIOCOUTQ, &buffered);
    return conn->outbox.queued + (size_t)buffered;
}

static void on_own_deadline(Conn *conn) {
    conn->own_deadline_ms = 0;
    size_t left = not_taken(conn);
    if (conn->is_blocked && left < conn->left) {
        conn->left = left;
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

static uint32_t last_slot(const Conn *conn) {
    return conn->outbox.popped + conn->outbox.count - 1;
}

static void start_age(Conn *conn) {
    uint32_t now_ms = (uint32_t)net_now_ms(conn->net);
    conn->aged_ms = now_ms != 0 ? now_ms : 1;
    conn->aged_slot = last_slot(conn);
}

uint32_t conn_age_ms(Conn *conn) {
    if (conn->aged_ms == 0) return 0;
    bool has_left = (int32_t)(conn->outbox.popped - conn->aged_slot) > 0;
    if (has_left) start_age(conn);
    return (uint32_t)net_now_ms(conn->net) - conn->aged_ms;
}

static void on_empty(Conn *conn) {
    if (conn->state == STATE_FINISHING) {
        send_fin(conn);
    } else if (conn->tells_drain) {
        conn->handler->on_drain(conn->owner);
    }
}

static void block(Conn *conn) {
    conn->is_blocked = true;
    conn->left = not_taken(conn);
    if (conn->aged_ms == 0) start_age(conn);
    set_own_deadline(conn, conn->net->limits.write_timeout_ms);
    watch(conn);
}

static ssize_t write_many(Conn *conn, size_t *total) {
    struct iovec buffers[BUFFERS_MAX];
    int n = outbox_fill(&conn->outbox, buffers, BUFFERS_MAX, total);
    return writev(conn->fd, buffers, n);
}

/* As send, which in a program with threads costs more: it is a place where a thread may be cancelled. */
static ssize_t send_single(int fd, const Bytes *bytes) {
    return syscall(SYS_sendto, fd, bytes->data, (size_t)bytes->len, MSG_NOSIGNAL, NULL, 0);
}

/* A single frame goes by send, which is the shorter way into the kernel. */
static ssize_t write_once(Conn *conn, size_t *total) {
    const Bytes *single = outbox_single(&conn->outbox);
    if (single == NULL) return write_many(conn, total);
    *total = single->len;
    return send_single(conn->fd, single);
}

static void write_out(Conn *conn) {
    while (conn->outbox.count > 0) {
        size_t total;
        ssize_t written = write_once(conn, &total);
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

void conn_flush(Conn *conn) {
    list_remove(&conn->dirty_link);
    if (conn->is_blocked || conn->is_write_stopped || conn->outbox.count == 0) return;
    write_out(conn);
}

static void on_writable(Conn *conn) {
    conn->is_blocked = false;
    conn->own_deadline_ms = 0;
    watch(conn);
    if (conn->state != STATE_CLOSED) write_out(conn);
    if (!conn->is_blocked) conn->aged_ms = 0;
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
    push(conn, bytes);
    return true;
}

bool conn_try_write_unretained(Conn *conn, Bytes *bytes) {
    if (conn->outbox.count > 0 || conn->is_write_stopped || !conn_is_taking(conn)) return false;
    push(conn, bytes);
    return true;
}

/* Only what waits because the kernel took not all, or because writing was stopped, is known to wait. */
static bool is_waiting(const Conn *conn) {
    return conn->is_blocked || conn->is_write_stopped;
}

/* The frame that has left in part stays. */
static uint32_t busy_slots(const Conn *conn) {
    return conn->outbox.written > 0;
}

/* What was dropped since was not taken by the peer; numbers behind it are lower now. */
static void forget_dropped(Conn *conn, size_t queued_before) {
    if (!conn->is_blocked) return;
    conn->left -= queued_before - conn->outbox.queued;
    if ((int32_t)(conn->aged_slot - last_slot(conn)) > 0) conn->aged_slot = last_slot(conn);
}

void conn_note(Conn *conn, const Delivery *delivery) {
    if (is_waiting(conn)) outbox_note(&conn->outbox, delivery);
}

void conn_supersede(Conn *conn, const Delivery *delivery) {
    if (!is_waiting(conn)) return;
    size_t before = conn->outbox.queued;
    outbox_supersede(&conn->outbox, conn->net, busy_slots(conn), delivery);
    forget_dropped(conn, before);
}

void conn_expire(Conn *conn) {
    size_t before = conn->outbox.queued;
    outbox_expire(&conn->outbox, conn->net, busy_slots(conn), net_now_ms(conn->net));
    forget_dropped(conn, before);
}

uint32_t conn_waiting(const Conn *conn) {
    return conn->outbox.count;
}

void conn_write(Conn *conn, Bytes *bytes) {
    if (!conn_write_unretained(conn, bytes)) bytes_release(bytes);
}

void conn_write_stop(Conn *conn) {
    conn->is_write_stopped = conn->state == STATE_OPEN;
}

void conn_write_start(Conn *conn) {
    conn->is_write_stopped = false;
    if (conn->outbox.count > 0 && conn->state != STATE_CLOSED) mark_dirty(conn);
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
    list_init(&conn->dirty_link);
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

void conn_free(Conn *conn) {
    Net *net = conn->net;
    list_remove(&conn->dirty_link);
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
    net->queue_bytes -= conn->outbox.queued;
    close(conn->fd);
    list_remove(&conn->dirty_link);
    list_add(&net->closing, &conn->dirty_link);
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
