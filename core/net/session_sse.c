/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer has no length: it ends with the connection, so that the frames of events need nothing of
 * HTTP around them and all streams share them. A close is told by a last event, chatty:closed, since the
 * format knows no other way; then what is queued goes out, as much as the peer takes within
 * limits.close_timeout_ms.
 */
#include "net/session_sse.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/exchange.h"
#include "net/quota.h"
#include "net/sse.h"

enum { CODE_LOST = 1006, CODE_RESTART = 1012, CODE_SLOW = 4002, RETRY_MS = 3000 };

typedef struct Stream {
    Conn *conn;
    Session *session;
    uint64_t beat_ms;     /* when the next comment is due; closing: when it must be over */
    uint64_t deadline_ms; /* the session's; 0: none */
    Bytes *close_reason;
    uint16_t close_code;
    bool is_closing;
} Stream;

/* The transport is the Conn, which is all that a delivery needs of it. */
static Stream *stream_of(const void *transport) {
    return conn_owner(transport);
}

static const NetLimits *limits_of(const Stream *stream) {
    return &conn_net(stream->conn)->limits;
}

static uint64_t now_of(const Stream *stream) {
    return net_now_ms(conn_net(stream->conn));
}

static void arm(Stream *stream) {
    uint64_t deadline_ms = stream->beat_ms;
    bool is_sooner = stream->deadline_ms != 0 && stream->deadline_ms < deadline_ms;
    conn_set_deadline(stream->conn,
                      is_sooner && !stream->is_closing ? stream->deadline_ms : deadline_ms);
}

static void finish(Stream *stream, uint16_t code, Str reason) {
    stream->is_closing = true;
    conn_write_end(stream->conn);
    conn_tell_drain(stream->conn, true);
    stream->close_code = code;
    if (reason.len > 0) stream->close_reason = bytes_copy(reason);
    stream->beat_ms = now_of(stream) + limits_of(stream)->close_timeout_ms;
    arm(stream);
}

static Bytes *encode_farewell(uint16_t code, Str reason) {
    Buf attributes = BUF_NONE;
    buf_addf(&attributes, "{\"code\":%d,\"reason\":", code);
    json_encode_string(reason, &attributes);
    buf_add_char(&attributes, '}');
    MessageParts parts = {.event = STR("\"chatty:closed\""), .attributes = buf_str(&attributes)};
    Bytes *frame = sse_encode(&parts, NULL);
    buf_deinit(&attributes);
    return frame;
}

static void close_stream(void *transport, uint16_t code, Str reason) {
    if (!conn_is_taking(transport)) return;
    conn_write(transport, encode_farewell(code, reason));
    finish(stream_of(transport), code, reason);
}

static bool has_room(Conn *conn, size_t len) {
    if (!conn_is_taking(conn)) return false;
    if (quota_allows(conn, len)) return true;
    close_stream(conn, CODE_SLOW, STR("slow reader"));
    return false;
}

static Bytes *deliver(Subscriber *subscriber, const Message *message) {
    Conn *conn = subscriber->transport;
    Bytes *frame = message_frame(message, MESSAGE_SSE);
    if (quota_deliver(conn, &(Delivery){subscriber, message, frame})) return frame;
    close_stream(conn, CODE_SLOW, STR("slow reader"));
    return NULL;
}

static bool send_parts(void *transport, const MessageParts *parts) {
    Bytes *frame = sse_encode(parts, NULL);
    if (!has_room(transport, frame->len)) {
        bytes_release(frame);
        return false;
    }
    conn_write(transport, frame);
    return true;
}

static void do_nothing(void *transport) {
    (void)transport; /* no message ever comes */
}

static void set_deadline(void *transport, uint64_t deadline_ms) {
    Stream *stream = stream_of(transport);
    stream->deadline_ms = deadline_ms;
    arm(stream);
}

static uint16_t close_code(const void *transport) {
    return conn_is_taking(transport) ? 0 : stream_of(transport)->close_code;
}

static uint32_t waiting(const void *transport) {
    return conn_waiting(transport);
}

static uint64_t overdue(void *transport) {
    return quota_overdue(transport);
}

static void cut(void *transport) {
    if (conn_is_taking(transport)) finish(stream_of(transport), CODE_SLOW, STR("slow reader"));
    conn_close(transport);
}

static Net *net_of(void *transport) {
    return conn_net(transport);
}

static void stop_writing(void *transport) {
    conn_write_stop(transport);
}

static void start_writing(void *transport) {
    conn_write_start(transport);
}

static const TransportClass transport_class = {
    .subscriber = SESSION_SUBSCRIBER(deliver),
    .name = "sse",
    .send = send_parts,
    .hold = do_nothing,
    .resume = do_nothing,
    .stop_writing = stop_writing,
    .start_writing = start_writing,
    .set_deadline = set_deadline,
    .close = close_stream,
    .close_code = close_code,
    .waiting = waiting,
    .overdue = overdue,
    .cut = cut,
    .net = net_of,
};

/* --- what the Conn calls --- */

static void on_data(void *owner, Str bytes) {
    (void)owner, (void)bytes;
}

static void on_end(void *owner) {
    Stream *stream = owner;
    conn_close(stream->conn);
}

static void on_drain(void *owner) {
    Stream *stream = owner;
    if (stream->is_closing) conn_finish(stream->conn);
}

static void beat(Stream *stream, uint64_t now_ms) {
    stream->beat_ms = net_beat_ms(conn_net(stream->conn), now_ms + limits_of(stream)->ping_interval_ms);
    if (conn_queued(stream->conn) == 0) conn_write(stream->conn, sse_beat());
}

static void on_timer(void *owner) {
    Stream *stream = owner;
    uint64_t now_ms = now_of(stream);
    if (stream->is_closing) {
        conn_close(stream->conn);
        return;
    }
    if (stream->deadline_ms != 0 && now_ms >= stream->deadline_ms) {
        stream->deadline_ms = 0;
        session_on_timer(stream->session);
    }
    if (!stream->is_closing && now_ms >= stream->beat_ms) beat(stream, now_ms);
    if (!conn_is_closing(stream->conn)) arm(stream);
}

static void on_close(void *owner) {
    Stream *stream = owner;
    metrics_add(METRIC_streams, -1);
    Str reason = stream->close_reason ? bytes_str(stream->close_reason) : STR_NONE;
    session_on_close(stream->session, stream->close_code, reason);
    bytes_release(stream->close_reason);
    mem_free(stream);
}

static const ConnHandler conn_handler = {on_data, on_end, on_drain, on_timer, on_close};

/* --- opening --- */

static Bytes *encode_head(Net *net, const Header *headers, size_t header_count) {
    Buf head = BUF_NONE;
    buf_addf(&head,
             "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/event-stream\r\n"
             "Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\nConnection: close\r\n",
             net_date(net));
    for (size_t i = 0; i < header_count; i++) {
        buf_addf(&head, "%.*s: %.*s\r\n", STR_ARG(headers[i].name), STR_ARG(headers[i].value));
    }
    buf_addf(&head, "\r\nretry: %d\n\n", RETRY_MS);
    Bytes *bytes = bytes_copy(buf_str(&head));
    buf_deinit(&head);
    return bytes;
}

/* Streams that opened together shall not beat together: addresses, scrambled, differ enough. */
static uint64_t first_beat(const Stream *stream) {
    uint32_t scrambled = (uint32_t)((uintptr_t)stream >> 4) * UINT32_C(2654435769);
    uint32_t interval_ms = limits_of(stream)->ping_interval_ms;
    return now_of(stream) + interval_ms - ((uint64_t)scrambled * (interval_ms / 4) >> 32);
}

static void say_farewell(Stream *stream) {
    close_stream(stream->conn, CODE_RESTART, STR("the server restarts"));
}

int session_sse_open(Request *request, const Header *headers, size_t header_count, Session *session) {
    Buf rest = BUF_NONE;
    Conn *conn = exchange_give_conn(request, &rest);
    buf_deinit(&rest);
    if (conn == NULL) {
        session_unpin(session);
        return ERR_CLOSED;
    }
    Stream *stream = mem_zalloc(sizeof *stream);
    *stream = (Stream){.conn = conn, .session = session, .close_code = CODE_LOST};
    stream->beat_ms = first_beat(stream);
    conn_set_handler(conn, &conn_handler, stream);
    conn_tell_drain(conn, false);
    conn_watch_peer(conn, limits_of(stream)->ping_interval_ms + limits_of(stream)->ping_timeout_ms);
    metrics_add(METRIC_streams, 1);
    metrics_add(METRIC_http_requests_total, 1);
    conn_write(conn, encode_head(conn_net(conn), headers, header_count));
    conn_read_start(conn);
    session_bind(session, &transport_class, conn);
    arm(stream);
    if (conn_net(conn)->is_draining) say_farewell(stream); /* too late for session_sse_drain */
    return 0;
}

static void visit_for_drain(void *owner, void *context) {
    Stream *stream = owner;
    uint32_t *left = context;
    if (*left == 0 || stream->is_closing) return;
    (*left)--;
    say_farewell(stream);
}

void session_sse_drain(Net *net, uint32_t *left) {
    conn_each(net, &conn_handler, visit_for_drain, left);
}
