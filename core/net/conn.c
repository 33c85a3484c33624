/* SPDX-License-Identifier: Apache-2.0
 *
 * Whoever queues puts the Conn on net->dirty; net_flush writes it with uv_try_write, which allocates
 * nothing. Only what the kernel does not take goes to a uv_write, one at a time, and only then there is a
 * ConnWrite: it covers the front of the outbox, what is queued meanwhile lies behind it.
 *
 * References are let go after a write, or in the close callback, never within conn_close: a fan-out
 * may close a Conn to which it owes the reference still (conn_write_unretained).
 */
#include "net/conn.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { BUFFERS_MAX = 64 };

typedef enum {
    STATE_OPEN,
    STATE_FINISHING, /* writes the rest of the queue */
    STATE_LINGERING, /* the FIN is sent, waits for the peer's */
    STATE_CLOSED     /* uv_close was called */
} ConnState;

/* A write in flight: the kernel's buffer is full. */
typedef struct ConnWrite {
    uv_write_t request;
    size_t total;   /* its bytes */
    size_t left;    /* not taken by the peer when we last looked for progress */
    uint32_t count; /* slots it covers, from `first` on */
} ConnWrite;

struct Conn {
    uv_tcp_t tcp; /* first, so that the handle is the Conn; `data` is the Net */
    const ConnHandler *handler;
    void *owner;
    List link;                  /* in net->conns */
    WheelTimer timer;           /* fires at or before the earlier one of the two deadlines */
    uint64_t owner_deadline_ms; /* 0: none */
    uint64_t own_deadline_ms;   /* of lingering, or of the write in flight; 0: none */
    ConnWrite *write;           /* NULL: nothing in flight */
    List dirty_link;            /* in net->dirty, or alone */
    Outbox outbox;
    uint8_t state; /* ConnState */
    bool is_reading;
    bool is_write_stopped;
    bool has_ended; /* the peer sent FIN */
};

static Net *net_of(const Conn *conn) {
    return conn->tcp.data;
}

static uv_stream_t *stream_of(Conn *conn) {
    return (uv_stream_t *)&conn->tcp;
}

Conn *conn_of_dirty(List *link) {
    return list_entry(link, Conn, dirty_link);
}

Net *conn_net(const Conn *conn) {
    return net_of(conn);
}

void conn_set_handler(Conn *conn, const ConnHandler *handler, void *owner) {
    conn->handler = handler;
    conn->owner = owner;
}

bool conn_is_closing(const Conn *conn) {
    return conn->state != STATE_OPEN;
}

static void mark_dirty(Conn *conn) {
    if (conn->write != NULL || conn->is_write_stopped || !list_is_empty(&conn->dirty_link)) return;
    list_add(&net_of(conn)->dirty, &conn->dirty_link);
}

static void push(Conn *conn, Bytes *bytes) {
    outbox_push(&conn->outbox, bytes);
    net_of(conn)->queue_bytes += bytes->len;
    mark_dirty(conn);
}

static void pop(Conn *conn, size_t len) {
    Net *net = net_of(conn);
    net->queue_bytes -= len;
    net->sent_bytes += len;
    outbox_pop(&conn->outbox, net, len);
}

/* --- deadlines --- */

static uint64_t earlier(uint64_t a, uint64_t b) {
    if (a == 0 || b == 0) return a + b;
    return a < b ? a : b;
}

/* A timer that fires too early is armed again by on_fire: to move a deadline back costs nothing. */
static void arm(Conn *conn) {
    if (conn->state == STATE_CLOSED) return;
    uint64_t deadline_ms = earlier(conn->owner_deadline_ms, conn->own_deadline_ms);
    if (deadline_ms == 0) return;
    uint64_t armed_ms = conn->timer.deadline_ms;
    if (armed_ms != 0 && armed_ms <= deadline_ms) return;
    wheel_start(&net_of(conn)->wheel, &conn->timer, deadline_ms);
}

static void set_own_deadline(Conn *conn, uint32_t timeout_ms) {
    conn->own_deadline_ms = net_now_ms(net_of(conn)) + timeout_ms;
    arm(conn);
}

void conn_set_deadline(Conn *conn, uint64_t deadline_ms) {
    if (conn->state != STATE_OPEN) return;
    conn->owner_deadline_ms = deadline_ms;
    arm(conn);
}

/* What the peer has not taken, the kernel's buffer included: it holds megabytes, and does not tell
 * of room before a third of it is free, which takes a slow peer longer than any timeout. */
static size_t not_taken(Conn *conn) {
    uv_os_fd_t fd;
    int buffered = 0;
    if (uv_fileno((uv_handle_t *)&conn->tcp, &fd) == 0) ioctl(fd, SIOCOUTQ, &buffered);
    return uv_stream_get_write_queue_size(stream_of(conn)) + (size_t)buffered;
}

static void on_own_deadline(Conn *conn) {
    conn->own_deadline_ms = 0;
    size_t left = not_taken(conn);
    if (conn->write != NULL && left < conn->write->left) {
        conn->write->left = left;
        set_own_deadline(conn, net_of(conn)->limits.write_timeout_ms);
        return;
    }
    if (conn->write != NULL) metrics_add(METRIC_limit_hits_total, 1);
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

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    (void)suggested;
    Net *net = handle->data;
    *buffer = uv_buf_init(net->read_buffer, NET_READ_BUFFER_SIZE);
}

static void on_peer_end(Conn *conn) {
    conn->has_ended = true;
    conn->is_reading = false;
    uv_read_stop(stream_of(conn));
    if (conn->state == STATE_LINGERING) {
        conn_close(conn);
    } else if (conn->state == STATE_OPEN && conn->handler != NULL) {
        conn->handler->on_end(conn->owner);
    }
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer) {
    Conn *conn = (Conn *)stream;
    if (len == UV_EOF) {
        on_peer_end(conn);
    } else if (len < 0) {
        conn_close(conn);
    } else if (len > 0) {
        metrics_add(METRIC_bytes_received_total, len);
        if (conn->state != STATE_OPEN || conn->handler == NULL) return;
        conn->handler->on_data(conn->owner, str_make(buffer->base, (size_t)len));
    }
}

static void start_reading(Conn *conn) {
    if (conn->is_reading || conn->has_ended || conn->state == STATE_CLOSED) return;
    conn->is_reading = uv_read_start(stream_of(conn), on_alloc, on_read) == 0;
}

void conn_read_start(Conn *conn) {
    if (conn->state == STATE_OPEN) start_reading(conn);
}

void conn_read_stop(Conn *conn) {
    if (!conn->is_reading || conn->state != STATE_OPEN) return;
    conn->is_reading = false;
    uv_read_stop(stream_of(conn));
}

/* --- writing --- */

static void send_fin(Conn *conn) {
    uv_os_fd_t fd;
    if (conn->has_ended || uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0 ||
        shutdown(fd, SHUT_WR) != 0) {
        conn_close(conn);
        return;
    }
    conn->state = STATE_LINGERING;
    set_own_deadline(conn, net_of(conn)->limits.close_timeout_ms);
}

static void on_empty(Conn *conn) {
    if (conn->state == STATE_FINISHING) {
        send_fin(conn);
    } else if (conn->handler != NULL && conn->handler->on_drain != NULL) {
        conn->handler->on_drain(conn->owner);
    }
}

static void on_written(uv_write_t *request, int status) {
    Conn *conn = (Conn *)request->handle;
    size_t total = conn->write->total;
    mem_free(conn->write);
    conn->write = NULL;
    if (conn->state == STATE_CLOSED) return;
    if (status < 0) {
        conn_close(conn);
        return;
    }
    conn->own_deadline_ms = 0;
    pop(conn, total);
    if (conn->outbox.count > 0) {
        list_add(&net_of(conn)->dirty, &conn->dirty_link);
    } else {
        on_empty(conn);
    }
}

static void start_write(Conn *conn) {
    uv_buf_t buffers[BUFFERS_MAX];
    ConnWrite *write = mem_alloc(sizeof *write);
    unsigned n = outbox_fill(&conn->outbox, buffers, BUFFERS_MAX, &write->total);
    write->count = n;
    if (uv_write(&write->request, stream_of(conn), buffers, n, on_written) != 0) {
        mem_free(write);
        conn_close(conn);
        return;
    }
    conn->write = write;
    write->left = not_taken(conn);
    set_own_deadline(conn, net_of(conn)->limits.write_timeout_ms);
}

void conn_flush(Conn *conn) {
    list_remove(&conn->dirty_link);
    if (conn->write != NULL || conn->outbox.count == 0 || conn->state == STATE_CLOSED) return;
    if (conn->is_write_stopped) return;
    while (conn->outbox.count > 0) {
        uv_buf_t buffers[BUFFERS_MAX];
        size_t total;
        unsigned n = outbox_fill(&conn->outbox, buffers, BUFFERS_MAX, &total);
        int written = uv_try_write(stream_of(conn), buffers, n);
        if (written < 0 && written != UV_EAGAIN) {
            conn_close(conn);
            return;
        }
        if (written > 0) pop(conn, (size_t)written);
        if (written < 0 || (size_t)written < total) {
            start_write(conn);
            return;
        }
    }
    on_empty(conn);
}

bool conn_write_unretained(Conn *conn, Bytes *bytes) {
    if (conn->state != STATE_OPEN) return false;
    push(conn, bytes);
    return true;
}

/* Only what waits behind a write in flight, or because writing was stopped, is known to wait. */
static bool is_blocked(const Conn *conn) {
    return conn->write != NULL || conn->is_write_stopped;
}

static uint32_t busy_slots(const Conn *conn) {
    return conn->write != NULL ? conn->write->count : 0;
}

void conn_note(Conn *conn, const OutboxTerms *terms) {
    if (is_blocked(conn)) outbox_note(&conn->outbox, terms);
}

void conn_supersede(Conn *conn, uint64_t key) {
    if (!is_blocked(conn)) return;
    uint32_t count = outbox_supersede(&conn->outbox, net_of(conn), busy_slots(conn), key);
    if (count > 0) metrics_add(METRIC_superseded_total, count);
}

void conn_expire(Conn *conn) {
    uint64_t now_ms = net_now_ms(net_of(conn));
    uint32_t count = outbox_expire(&conn->outbox, net_of(conn), busy_slots(conn), now_ms);
    if (count > 0) metrics_add(METRIC_expired_total, count);
}

uint32_t conn_sent(const Conn *conn) {
    return conn->outbox.popped;
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

void conn_watch_peer(Conn *conn, uint32_t timeout_ms) {
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

size_t conn_queued(const Conn *conn) {
    if (conn->write == NULL) return conn->outbox.queued;
    size_t left = uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp);
    return conn->outbox.queued - conn->write->total + left;
}

/* --- opening and closing --- */

static void on_refused(uv_handle_t *handle) {
    mem_free(handle);
}

static Conn *new_conn(Net *net) {
    Conn *conn = mem_zalloc(sizeof *conn);
    ensure(uv_tcp_init(net->loop, &conn->tcp) == 0);
    conn->tcp.data = net;
    outbox_init(&conn->outbox);
    wheel_timer_init(&conn->timer, on_fire);
    list_init(&conn->dirty_link);
    return conn;
}

static Conn *add_conn(Net *net, Conn *conn, bool is_open) {
    bool is_full = net->conn_count >= net->limits.connections_max;
    if (!is_open || is_full) {
        if (is_full) metrics_add(METRIC_limit_hits_total, 1);
        uv_close((uv_handle_t *)&conn->tcp, on_refused);
        return NULL;
    }
    list_add(&net->conns, &conn->link);
    net->conn_count++;
    metrics_add(METRIC_connections, 1);
    return conn;
}

Conn *conn_accept(Net *net, uv_stream_t *listener) {
    Conn *conn = new_conn(net);
    return add_conn(net, conn, uv_accept(listener, stream_of(conn)) == 0);
}

Conn *conn_adopt(Net *net, int fd) {
    Conn *conn = new_conn(net);
    bool is_open = uv_tcp_open(&conn->tcp, fd) == 0;
    if (!is_open) close(fd);
    return add_conn(net, conn, is_open);
}

int conn_give_fd(Conn *conn) {
    uv_os_fd_t fd;
    if (conn->state != STATE_OPEN || uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0) return -1;
    ensure(conn->outbox.count == 0);
    int given = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (given >= 0) conn_close(conn);
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

static void on_closed(uv_handle_t *handle) {
    Conn *conn = (Conn *)handle;
    Net *net = net_of(conn);
    if (conn->handler != NULL) conn->handler->on_close(conn->owner);
    outbox_deinit(&conn->outbox);
    list_remove(&conn->link);
    net->conn_count--;
    metrics_add(METRIC_connections, -1);
    mem_free(conn);
}

void conn_close(Conn *conn) {
    if (conn->state == STATE_CLOSED) return;
    conn->state = STATE_CLOSED;
    wheel_stop(&net_of(conn)->wheel, &conn->timer);
    list_remove(&conn->dirty_link);
    net_of(conn)->queue_bytes -= conn->outbox.queued;
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

/* --- the peer --- */

Address conn_remote(const Conn *conn) {
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    int len = sizeof address;
    uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &len);
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
