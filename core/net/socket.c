/* SPDX-License-Identifier: Apache-2.0
 *
 * How a socket ends. Who is first decides code and reason (begin_close); from then on is_closing.
 *     we close          a close frame; the peer's answer, or close_timeout_ms, ends it
 *     the peer closes   its messages before that are handed out first; our answer ends it
 *     fault, slow peer  a close frame, which ends it: RFC 6455 7.1.7 waits for no answer
 *     connection lost   nothing to send
 * "Ends it" is finish: what is queued goes out, then the FIN. on_close follows when the Conn closed.
 */
#include "net/socket.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "net/backlog.h"
#include "net/exchange.h"
#include "net/handshake.h"
#include "net/quota.h"

enum {
    PONGS_MAX = 64, /* in the queue at once; then only the newest ping is answered */
    PING_SPREAD = 4 /* first pings come up to a quarter of the interval early */
};

struct Socket {
    Conn *conn;
    const SocketHandler *handler;
    void *owner;
    Ws ws;
    uint64_t heard_ms; /* when the last byte came */
    union {
        uint64_t ping_ms;     /* open: when a ping was sent that nothing came after; 0: none */
        uint64_t patience_ms; /* closing: when it must be over */
    };
    uint64_t deadline_ms; /* the owner's; 0: none */
    Backlog *backlog;     /* NULL: empty */
    union {
        Bytes *pong;         /* open: answers the newest ping once the queue is empty; NULL: none */
        Bytes *close_reason; /* closing; NULL: none */
    };
    uint16_t close_code;
    uint8_t pong_count; /* queued since the queue was last empty */
    bool is_held : 1;
    bool has_no_pings : 1;  /* its owner looks after the peer */
    bool is_starting : 1;   /* bytes came with the request; their callbacks come from the loop */
    bool is_delivering : 1; /* within deliver_backlog */
    bool is_paused : 1;     /* reading stopped, the backlog is full */
    bool is_closing : 1;
    bool is_over : 1; /* our close frame is queued, or it makes no sense any more */
};

static const NetLimits *limits_of(const Socket *socket) {
    return &conn_net(socket->conn)->limits;
}

static uint64_t now_of(const Socket *socket) {
    return net_now_ms(conn_net(socket->conn));
}

/* The time of the next ping, or of giving up on the last one. */
static uint64_t alive_deadline(const Socket *socket) {
    const NetLimits *limits = limits_of(socket);
    if (socket->ping_ms != 0) return socket->ping_ms + limits->ping_timeout_ms;
    return net_beat_ms(conn_net(socket->conn), socket->heard_ms + limits->ping_interval_ms);
}

/* A peer that we do not read from cannot show that it lives. */
static uint64_t own_deadline(const Socket *socket) {
    if (socket->is_starting) return 1; /* at once */
    if (socket->is_closing) return socket->patience_ms;
    return socket->is_paused || socket->has_no_pings ? 0 : alive_deadline(socket);
}

static uint64_t next_deadline(const Socket *socket) {
    return clock_earlier(own_deadline(socket), socket->is_over ? 0 : socket->deadline_ms);
}

static void arm(Socket *socket) {
    conn_set_deadline(socket->conn, next_deadline(socket));
}

/* Bytes that come do not move the deadline, which is computed anew when it has passed, unless they answer a
 * ping: then it is far off, and seldom moved again. */
static void hear(Socket *socket) {
    socket->heard_ms = now_of(socket);
    if (socket->is_closing || socket->ping_ms == 0) return;
    socket->ping_ms = 0;
    conn_put_off_deadline(socket->conn, next_deadline(socket));
}

static void start_patience(Socket *socket) {
    socket->patience_ms = now_of(socket) + limits_of(socket)->close_timeout_ms;
    arm(socket);
}

static void begin_close(Socket *socket, uint16_t code, Str reason) {
    if (socket->is_closing) return;
    socket->is_closing = true;
    socket->close_code = code;
    bytes_release(socket->pong);
    socket->close_reason = reason.len > 0 ? bytes_copy(reason) : NULL;
    start_patience(socket);
}

/* From here on nothing is handed out and nothing more is sent. */
static void end_messages(Socket *socket) {
    socket->is_over = true;
    conn_write_end(socket->conn);
    conn_tell_drain(socket->conn, true);
    if (!socket->is_delivering) backlog_free(&socket->backlog);
}

/* Ends the connection once the queue is empty (on_drain), or when that takes too long (on_timer). */
static void finish(Socket *socket) {
    end_messages(socket);
    ws_stop(&socket->ws);
    start_patience(socket);
    if (conn_queued(socket->conn) == 0) conn_finish(socket->conn);
}

/* Sends the close frame, if it was not sent yet, and waits for no answer. */
static void close_now(Socket *socket, uint16_t code, Str reason) {
    begin_close(socket, code, reason);
    if (!socket->is_over) conn_write(socket->conn, ws_encode_close(code, reason));
    finish(socket);
}

static void answer_close(Socket *socket) {
    close_now(socket, socket->close_code, STR_NONE);
}

static bool is_full(const Socket *socket) {
    return backlog_is_full(socket->backlog, limits_of(socket)->ws.message_bytes_max);
}

static void pause_reading(Socket *socket) {
    socket->is_paused = true;
    conn_read_stop(socket->conn);
    arm(socket);
}

static void resume_reading(Socket *socket) {
    if (!socket->is_paused) return;
    socket->is_paused = false;
    hear(socket);
    conn_read_start(socket->conn);
    arm(socket);
}

static bool is_blocked(const Socket *socket) {
    return socket->is_held || socket->is_starting;
}

/* What comes now waits for its turn. */
static bool is_busy(const Socket *socket) {
    return is_blocked(socket) || socket->backlog != NULL;
}

/* on_message may hold, resume and close; a resume from within comes back to this loop. */
static void deliver_backlog(Socket *socket) {
    if (socket->is_delivering) return;
    bool is_binary;
    Str payload;
    socket->is_delivering = true;
    while (!is_blocked(socket) && !socket->is_over &&
           backlog_take(socket->backlog, &is_binary, &payload)) {
        socket->handler->on_message(socket->owner, is_binary, payload);
    }
    socket->is_delivering = false;
    backlog_trim(&socket->backlog);
    if (socket->is_over) backlog_free(&socket->backlog);
    if (socket->is_over) return;
    if (socket->is_closing && !is_busy(socket)) {
        answer_close(socket);
    } else if (!is_full(socket)) {
        resume_reading(socket);
    }
}

static void on_message(Socket *socket, bool is_binary, Str payload) {
    if (socket->is_over) return;
    if (is_busy(socket)) {
        backlog_add(&socket->backlog, is_binary, payload);
    } else {
        socket->handler->on_message(socket->owner, is_binary, payload);
    }
}

/* Every ping is answered as long as the peer takes the answers; RFC 6455 5.5.3 allows to leave out
 * all but the newest. */
static void on_ping(Socket *socket, Str payload) {
    if (socket->is_closing) return;
    Bytes *pong = ws_encode(WS_PONG, payload);
    if (socket->pong_count < PONGS_MAX) {
        socket->pong_count++;
        conn_tell_drain(socket->conn, true);
        conn_write(socket->conn, pong);
    } else {
        bytes_release(socket->pong);
        socket->pong = pong;
    }
}

/* Behind our own close frame this is the answer to it. */
static void on_peer_close(Socket *socket, uint16_t code, Str reason) {
    begin_close(socket, code, reason);
    if (socket->is_over || !is_busy(socket)) answer_close(socket);
}

static Socket *socket_of(Ws *ws) {
    return (Socket *)(void *)((char *)ws - offsetof(Socket, ws));
}

static void on_frame(Ws *ws, WsOpcode opcode, uint16_t code, Str payload) {
    Socket *socket = socket_of(ws);
    metrics_add(METRIC_frames_received_total, 1);
    switch (opcode) {
    case WS_TEXT:
    case WS_BINARY: on_message(socket, opcode == WS_BINARY, payload); break;
    case WS_CLOSE: on_peer_close(socket, code, payload); break;
    case WS_PING: on_ping(socket, payload); break;
    case WS_PONG: break;
    }
}

static void on_fault(Ws *ws, uint16_t code, const char *reason) {
    if (code == WS_CODE_POLICY || code == WS_CODE_TOO_BIG) metrics_add(METRIC_limit_hits_total, 1);
    close_now(socket_of(ws), code, str_of(reason));
}

const WsHandler socket_ws_handler = {on_frame, on_fault};

static void feed(Socket *socket, Str bytes) {
    ws_feed(&socket->ws, &conn_net(socket->conn)->ws_pool, bytes);
    if (!socket->is_closing && is_full(socket)) pause_reading(socket);
}

static void on_data(void *owner, Str bytes) {
    Socket *socket = owner;
    hear(socket);
    feed(socket, bytes);
}

/* A peer that half-closed behind its close frame still wants our answer. */
static void on_end(void *owner) {
    Socket *socket = owner;
    if (socket->is_closing && !socket->is_over) return;
    begin_close(socket, WS_CODE_LOST, STR_NONE);
    finish(socket);
}

/* Wanted only when a pong is queued or the socket is over: a fan-out need not look at the socket again when
 * it has written. */
static void on_drain(void *owner) {
    Socket *socket = owner;
    socket->pong_count = 0;
    if (socket->is_over && socket->ws.is_stopped) conn_finish(socket->conn);
    if (socket->is_closing) return;
    conn_tell_drain(socket->conn, socket->pong != NULL);
    if (socket->pong == NULL) return;
    socket->pong_count = 1;
    conn_write(socket->conn, socket->pong);
    socket->pong = NULL;
}

static void send_ping(Socket *socket) {
    /* An empty ping, the same for all; its first reference is never released. */
    static Bytes ping = {.refs = 1, .len = 2, .data = {(char)(0x80 | WS_PING), 0}};
    conn_write(socket->conn, bytes_retain(&ping));
}

void socket_cut(Socket *socket, uint16_t code, Str reason) {
    begin_close(socket, code, reason);
    end_messages(socket);
    conn_close(socket->conn);
}

static void check_alive(Socket *socket, uint64_t now_ms) {
    if (socket->is_paused || socket->has_no_pings) return;
    if (now_ms < alive_deadline(socket)) return;
    if (socket->ping_ms != 0) {
        socket_cut(socket, WS_CODE_LOST, STR("ping timeout"));
        return;
    }
    socket->ping_ms = now_ms;
    send_ping(socket);
}

/* Closing took too long. */
static void lose_patience(Socket *socket) {
    if (socket->is_over) {
        conn_close(socket->conn);
    } else {
        answer_close(socket);
    }
}

static void on_timer(void *owner) {
    Socket *socket = owner;
    uint64_t now_ms = now_of(socket);
    if (socket->is_starting) {
        socket->is_starting = false;
        deliver_backlog(socket);
    }
    if (!socket->is_over && socket->deadline_ms != 0 && now_ms >= socket->deadline_ms) {
        socket->deadline_ms = 0;
        socket->handler->on_timer(socket->owner);
    }
    if (!socket->is_closing) {
        check_alive(socket, now_ms);
    } else if (now_ms >= socket->patience_ms) {
        lose_patience(socket);
    }
    if (!conn_is_closing(socket->conn)) arm(socket);
}

static void on_close(void *owner) {
    Socket *socket = owner;
    Str reason = socket->close_reason ? bytes_str(socket->close_reason) : STR_NONE;
    metrics_add(METRIC_sockets, -1);
    socket->handler->on_close(socket->owner, socket->close_code, reason);
    ws_deinit(&socket->ws);
    backlog_free(&socket->backlog);
    bytes_release(socket->close_reason);
    pool_free(&conn_net(socket->conn)->pool, socket, sizeof *socket);
}

static const ConnHandler conn_handler = {on_data, on_end, on_drain, on_timer, on_close};

/* Sockets that opened together shall not ping together: one that looks as if it had been silent for
 * a while already pings earlier. Addresses, scrambled, differ enough. */
static uint64_t first_heard(const Socket *socket) {
    uint32_t scrambled = (uint32_t)((uintptr_t)socket >> 4) * UINT32_C(2654435769);
    uint32_t spread_ms = limits_of(socket)->ping_interval_ms / PING_SPREAD;
    return now_of(socket) - ((uint64_t)scrambled * spread_ms >> 32);
}

static Socket *socket_new(Conn *conn, const SocketHandler *handler, void *owner) {
    Socket *socket = pool_zalloc(&conn_net(conn)->pool, sizeof *socket);
    socket->conn = conn;
    socket->handler = handler;
    socket->owner = owner;
    socket->close_code = WS_CODE_LOST;
    socket->heard_ms = first_heard(socket);
    ws_init(&socket->ws);
    conn_set_handler(conn, &conn_handler, socket);
    metrics_add(METRIC_sockets, 1);
    return socket;
}

static void say_farewell(Socket *socket) {
    socket_close(socket, SOCKET_CODE_RESTART, STR("the server restarts"));
}

Socket *socket_adopt(Conn *conn, Bytes *answer, Str rest, const SocketHandler *handler, void *owner) {
    Socket *opened = socket_new(conn, handler, owner);
    conn_write(conn, answer);
    opened->is_starting = rest.len > 0;
    conn_read_start(conn);
    arm(opened);
    feed(opened, rest);
    if (conn_net(conn)->is_draining) say_farewell(opened); /* it came too late for socket_drain */
    return opened;
}

int socket_open(Request *request, Str protocol, const SocketHandler *handler, void *owner,
                Socket **socket) {
    Buf rest = BUF_NONE;
    Conn *conn = exchange_give_conn(request, &rest);
    if (conn == NULL) {
        buf_deinit(&rest);
        return ERR_CLOSED;
    }
    Bytes *answer = handshake_answer(request, protocol);
    *socket = socket_adopt(conn, answer, buf_str(&rest), handler, owner);
    buf_deinit(&rest);
    return 0;
}

void socket_set_handler(Socket *socket, const SocketHandler *handler, void *owner) {
    socket->handler = handler;
    socket->owner = owner;
}

void socket_stop_pings(Socket *socket) {
    socket->has_no_pings = true;
}

static bool has_room(Socket *socket, size_t len) {
    if (socket_is_closing(socket)) return false;
    if (quota_allows(socket->conn, len)) return true;
    close_now(socket, SOCKET_CODE_SLOW, STR("slow reader"));
    return false;
}

bool socket_send(Socket *socket, Bytes *frame) {
    if (!has_room(socket, frame->len)) {
        bytes_release(frame);
        return false;
    }
    conn_write(socket->conn, frame);
    return true;
}

bool socket_deliver(Conn *conn, const Delivery *delivery) {
    if (quota_deliver(conn, delivery)) return true;
    if (conn_is_taking(conn)) close_now(conn_owner(conn), SOCKET_CODE_SLOW, STR("slow reader"));
    return false;
}

void socket_hold(Socket *socket) {
    socket->is_held = true;
}

void socket_resume(Socket *socket) {
    socket->is_held = false;
    deliver_backlog(socket);
}

void socket_set_deadline(Socket *socket, uint64_t deadline_ms) {
    if (socket->is_over) return;
    socket->deadline_ms = deadline_ms;
    arm(socket);
}

void socket_close(Socket *socket, uint16_t code, Str reason) {
    if (socket->is_over) return;
    if (socket->is_closing) {
        answer_close(socket);
        return;
    }
    begin_close(socket, code, reason);
    conn_write(socket->conn, ws_encode_close(code, reason));
    end_messages(socket);
    resume_reading(socket);
}

uint32_t socket_waiting(const Socket *socket) {
    return conn_waiting(socket->conn);
}

bool socket_is_closing(const Socket *socket) {
    return !conn_is_taking(socket->conn);
}

uint16_t socket_close_code(const Socket *socket) {
    return socket_is_closing(socket) ? socket->close_code : 0;
}

Conn *socket_conn(Socket *socket) {
    return socket->conn;
}

static void visit_for_drain(void *owner, void *context) {
    Socket *socket = owner;
    uint32_t *left = context;
    if (*left == 0 || socket->is_closing) return;
    (*left)--;
    say_farewell(socket);
}

void socket_drain(Net *net, uint32_t *left) {
    conn_each(net, &conn_handler, visit_for_drain, left);
}
