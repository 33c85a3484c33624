/* SPDX-License-Identifier: Apache-2.0 */
#include "net/session.h"

#include "base/clock.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "net/ws.h"

static Session *of_subscriber(Subscriber *subscriber) {
    return (Session *)(void *)((char *)subscriber - offsetof(Session, subscriber));
}

static char *put(char *at, Str text) {
    memcpy(at, text.data, text.len);
    return at + text.len;
}

Bytes *session_encode_ws(Str event, Str attributes, Str ack, Str id) {
    static const Str parts[] = {
        {"{\"event\":", 9}, {",\"attributes\":", 14}, {",\"ack\":", 7}, {",\"id\":\"", 7}};
    size_t len = parts[0].len + event.len + parts[1].len + attributes.len + 1;
    if (ack.len > 0) len += parts[2].len + ack.len;
    if (id.len > 0) len += parts[3].len + id.len + 1;
    size_t header_len = ws_header_len(len);
    Bytes *frame = bytes_new(header_len + len);
    ws_write_header(frame->data, WS_TEXT, len);
    char *at = put(frame->data + header_len, parts[0]);
    at = put(at, event);
    at = put(at, parts[1]);
    at = put(at, attributes);
    if (ack.len > 0) at = put(put(at, parts[2]), ack);
    if (id.len > 0) at = put(put(put(at, parts[3]), id), STR("\""));
    *at = '}';
    return frame;
}

static Bytes *deliver(Subscriber *subscriber, const Message *message) {
    Session *session = of_subscriber(subscriber);
    Bytes *frame = message->frames[MESSAGE_WS];
    return socket_send_unretained(session->socket, frame) ? frame : NULL;
}

static void close_subscriber(Subscriber *subscriber, uint16_t code, Str reason) {
    session_close(of_subscriber(subscriber), code, reason);
}

static uint64_t after(const Session *session, int64_t delay_ms) {
    return net_now_ms(socket_net(session->socket)) + (uint64_t)(delay_ms > 0 ? delay_ms : 0);
}

static bool is_to_warn(const Session *session) {
    return session->is_live && !session->was_warned;
}

/* The one deadline of the socket: waiting for a token, then the warning, then the token's end. */
static void set_deadline(Session *session) {
    if (session->user == NULL) {
        socket_set_deadline(session->socket, session->auth_deadline_ms);
        return;
    }
    if (session->expires_ms == 0) {
        socket_set_deadline(session->socket, 0);
        return;
    }
    int64_t left_ms = session->expires_ms - clock_wall_ms();
    if (is_to_warn(session)) left_ms -= session->expiring_notice_ms;
    socket_set_deadline(session->socket, after(session, left_ms));
}

static void on_timer(void *owner) {
    Session *session = owner;
    if (session->user == NULL) {
        session_close(session, 4500, STR("no token came in time"));
        return;
    }
    int64_t left_ms = session->expires_ms - clock_wall_ms();
    if (left_ms <= 0) {
        session_close(session, 4001, STR("token expired"));
        return;
    }
    if (is_to_warn(session) && left_ms <= session->expiring_notice_ms) {
        session->was_warned = true;
        session->handler->on_expiring(session);
    }
    if (session_is_open(session)) set_deadline(session);
}

static bool retire_key(Subscriber *subscriber, uint32_t generation, int64_t until_ms) {
    Session *session = of_subscriber(subscriber);
    if (session->key_generation >= generation) return false;
    if (until_ms == 0) {
        session_close(session, 4504, STR("the secret of the token was changed"));
        return true;
    }
    if (session->expires_ms == 0 || session->expires_ms > until_ms) session->expires_ms = until_ms;
    if (session_is_open(session)) set_deadline(session);
    return false;
}

static const SubscriberClass session_class = {
    .deliver = deliver, .retire_key = retire_key, .close = close_subscriber};

static void on_message(void *owner, bool is_binary, Str payload) {
    Session *session = owner;
    if (is_binary) {
        session_close(session, 1003, STR("events are text frames"));
        return;
    }
    socket_hold(session->socket);
    session->handler->on_frame(session, payload);
}

static void free_session(Session *session) {
    ensure(session->subscriber.user == NULL);
    bytes_release(session->user);
    bytes_release(session->claims);
    bytes_release(session->remote);
    mem_free(session);
}

static void on_close(void *owner, uint16_t code, Str reason) {
    Session *session = owner;
    session_pin(session);
    session->handler->on_close(session, code, reason);
    session->socket = NULL;
    session_unpin(session);
}

static const SocketHandler socket_handler = {
    .on_message = on_message, .on_timer = on_timer, .on_close = on_close};

int session_open(Request *request, Str protocol, const char *id, const SessionHandler *handler,
                 void *context, Session **out) {
    Session *session = mem_zalloc(sizeof *session);
    session->subscriber.class = &session_class;
    session->handler = handler;
    session->context = context;
    session->since_ms = clock_wall_ms();
    session->pins = 1;
    session->remote = bytes_copy(str_of(request->remote));
    memcpy(session->id, id, SESSION_ID_LEN);
    int err = socket_open(request, protocol, &socket_handler, session, &session->socket);
    if (err != 0) {
        free_session(session);
        return err;
    }
    *out = session;
    return 0;
}

void session_pin(Session *session) {
    session->pins++;
}

void session_unpin(Session *session) {
    ensure(session->pins > 0);
    if (--session->pins == 0 && session->socket == NULL) free_session(session);
}

void session_expect_auth(Session *session, uint32_t timeout_ms) {
    if (session->socket == NULL) return;
    session->auth_deadline_ms = after(session, timeout_ms);
    set_deadline(session);
}

void session_identify(Session *session, Bytes *user, Bytes *claims, int64_t expires_ms,
                      uint32_t key_generation) {
    bytes_release(session->user);
    bytes_release(session->claims);
    session->user = user;
    session->claims = claims;
    session->expires_ms = expires_ms;
    session->key_generation = key_generation;
    session->was_warned = false;
    if (session_is_open(session)) set_deadline(session);
}

void session_go_live(Session *session) {
    session->is_live = true;
    if (session_is_open(session)) set_deadline(session);
}

void session_next(Session *session) {
    if (session->socket != NULL) socket_resume(session->socket);
}

bool session_send(Session *session, Bytes *frame) {
    if (session->socket != NULL) return socket_send(session->socket, frame);
    bytes_release(frame);
    return false;
}

void session_close(Session *session, uint16_t code, Str reason) {
    if (session->socket != NULL) socket_close(session->socket, code, reason);
}

bool session_is_open(const Session *session) {
    return session->socket != NULL && !socket_is_closing(session->socket);
}
