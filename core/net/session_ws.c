/* SPDX-License-Identifier: Apache-2.0 */
#include "net/session_ws.h"

#include "net/quota.h"
#include "net/socket.h"

static char *put(char *at, Str text) {
    memcpy(at, text.data, text.len);
    return at + text.len;
}

Bytes *session_ws_encode(const MessageParts *parts, MessageParts *placed) {
    static const Str keys[] = {
        {"{\"event\":", 9}, {",\"attributes\":", 14}, {",\"ack\":", 7}, {",\"id\":\"", 7}};
    Str ack = parts->ack, id = parts->id;
    size_t len = keys[0].len + parts->event.len + keys[1].len + parts->attributes.len + 1;
    if (ack.len > 0) len += keys[2].len + ack.len;
    if (id.len > 0) len += keys[3].len + id.len + 1;
    size_t header_len = ws_header_len(len);
    Bytes *frame = bytes_new(header_len + len);
    ws_write_header(frame->data, WS_TEXT, len);
    char *event = put(frame->data + header_len, keys[0]);
    char *attributes = put(put(event, parts->event), keys[1]);
    char *at = put(attributes, parts->attributes);
    char *ack_at = ack.len > 0 ? put(at, keys[2]) : at;
    if (ack.len > 0) at = put(ack_at, ack);
    char *id_at = id.len > 0 ? put(at, keys[3]) : at;
    if (id.len > 0) at = put(put(id_at, id), STR("\""));
    *at = '}';
    if (placed != NULL) {
        placed->event = str_make(event, parts->event.len);
        placed->attributes = str_make(attributes, parts->attributes.len);
        placed->ack = str_make(ack_at, ack.len);
        placed->id = str_make(id_at, id.len);
    }
    return frame;
}

static Bytes *deliver(Subscriber *subscriber, const Message *message) {
    Bytes *frame = message_frame(message, MESSAGE_WS);
    if (conn_try_write_unretained(subscriber->transport, frame)) return frame; /* as most */
    Delivery delivery = {subscriber, message, frame};
    return socket_deliver(subscriber->transport, &delivery) ? frame : NULL;
}

/* The transport is the Conn, which is all that a delivery needs of it. */
static Socket *socket_of(const void *transport) {
    return conn_owner(transport);
}

static bool send_parts(void *transport, const MessageParts *parts) {
    return socket_send(socket_of(transport), session_ws_encode(parts, NULL));
}

static void hold(void *transport) {
    socket_hold(socket_of(transport));
}

static void resume(void *transport) {
    socket_resume(socket_of(transport));
}

static void stop_writing(void *transport) {
    conn_write_stop(transport);
}

static void start_writing(void *transport) {
    conn_write_start(transport);
}

static void set_deadline(void *transport, uint64_t deadline_ms) {
    socket_set_deadline(socket_of(transport), deadline_ms);
}

static void close_socket(void *transport, uint16_t code, Str reason) {
    socket_close(socket_of(transport), code, reason);
}

static uint16_t close_code(const void *transport) {
    return socket_close_code(socket_of(transport));
}

static uint32_t waiting(const void *transport) {
    return conn_waiting(transport);
}

static uint64_t overdue(void *transport) {
    return quota_overdue(transport);
}

static void cut(void *transport) {
    socket_cut(socket_of(transport), SOCKET_CODE_SLOW, STR("slow reader"));
}

static Net *net_of(void *transport) {
    return conn_net(transport);
}

static const TransportClass transport_class = {
    .subscriber = SESSION_SUBSCRIBER(deliver),
    .name = "ws",
    .send = send_parts,
    .hold = hold,
    .resume = resume,
    .stop_writing = stop_writing,
    .start_writing = start_writing,
    .set_deadline = set_deadline,
    .close = close_socket,
    .close_code = close_code,
    .waiting = waiting,
    .overdue = overdue,
    .cut = cut,
    .net = net_of,
};

static void on_message(void *owner, bool is_binary, Str payload) {
    if (is_binary) {
        session_close(owner, 1003, STR("events are text frames"));
    } else {
        session_on_message(owner, payload);
    }
}

static void on_timer(void *owner) {
    session_on_timer(owner);
}

static void on_close(void *owner, uint16_t code, Str reason) {
    session_on_close(owner, code, reason);
}

int session_ws_open(Request *request, Str protocol, Session *session) {
    static const SocketHandler handler = {
        .on_message = on_message, .on_timer = on_timer, .on_close = on_close};
    Socket *socket;
    int err = socket_open(request, protocol, &handler, session, &socket);
    if (err != 0) {
        session_unpin(session);
        return err;
    }
    session_bind(session, &transport_class, socket_conn(socket));
    return 0;
}
