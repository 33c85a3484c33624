/* SPDX-License-Identifier: Apache-2.0
 *
 * How an engine ends. A WebSocket: with its socket, which calls on_close. Polling: engine_close lets what is
 * queued go, and answers the poll behind that with a close packet (a client that finds it among others
 * closes before it has looked at these), or gives up after limits.close_timeout_ms; engine_end does not
 * wait. Both only mark and let the end of the turn do the rest, since a fan-out, which may not change the
 * registry, closes slow readers.
 */
#include "socketio/engine.h"

#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/ws.h"
#include "socketio/eio.h"
#include "socketio/engines.h"
#include "socketio/probe.h"

enum {
    CODE_NORMAL = 1000,
    PAUSE_MS = 16,         /* at least; the wheel turns every WHEEL_TICK_MS */
    LINGER_MS = 200,       /* a poll may come behind the post that closes */
    MESSAGES_AT_ONCE = 256 /* of a polling body, which may hold a hundred thousand */
};

static const NetLimits *limits_of(const Engine *engine) {
    return &engine->engines->net->limits;
}

static uint64_t now_of(const Engine *engine) {
    return net_now_ms(engine->engines->net);
}

void engine_touch(Engine *engine) {
    net_defer(engine->engines->net, &engine->flush);
}

uint32_t engine_waiting(const Engine *engine) {
    if (engine->socket != NULL) return socket_waiting(engine->socket);
    return engine->polling != NULL ? engine->polling->outbox.count : 0;
}

Net *engine_net(const Engine *engine) {
    return engine->engines->net;
}

bool engine_is_closing(const Engine *engine) {
    return engine->socket != NULL ? socket_is_closing(engine->socket) : engine->is_closing;
}

static uint64_t next_beat(const Engine *engine) {
    return net_beat_ms(engine->engines->net, now_of(engine) + limits_of(engine)->ping_interval_ms);
}

static void arm(Engine *engine) {
    uint64_t deadline_ms = engine->beat_ms;
    if (engine->deadline_ms != 0 && engine->deadline_ms < deadline_ms)
        deadline_ms = engine->deadline_ms;
    if (engine->is_paused || engine->is_resting) deadline_ms = now_of(engine) + PAUSE_MS;
    wheel_start(&engine->engines->net->wheel, &engine->timer, deadline_ms);
}

/* --- ending --- */

static void decide_end(Engine *engine, uint16_t code, Str reason) {
    if (engine->is_closing) return;
    engine->is_closing = true;
    engine->close_code = code;
    if (reason.len > 0) engine->close_reason = bytes_copy(reason);
}

void engine_end(Engine *engine, uint16_t code, Str reason, int last) {
    if (engine->socket != NULL) {
        socket_close(engine->socket, code, reason);
        return;
    }
    if (engine->is_over) return;
    decide_end(engine, code, reason);
    engine->is_over = true;
    polling_add(engine->polling, eio_encode((EioType)last, STR_NONE));
    engine_touch(engine);
}

/* The next poll gets what is queued, the one behind it the last packet. */
static void linger(Engine *engine, EioType last, uint32_t timeout_ms) {
    engine->last = (uint8_t)last;
    engine->beat_ms = now_of(engine) + timeout_ms;
    arm(engine);
    engine_touch(engine);
}

void engine_close(Engine *engine, uint16_t code, Str reason) {
    if (engine->socket != NULL) {
        socket_close(engine->socket, code, reason);
        return;
    }
    if (engine->is_closing) return;
    decide_end(engine, code, reason);
    linger(engine, EIO_CLOSE, limits_of(engine)->close_timeout_ms);
}

/* The client closed: a poll of his ends in peace, even one that was overtaken by the post that says so. */
static void leave(Engine *engine) {
    Str reason = STR("the client closed");
    if (engine->socket != NULL) {
        socket_close(engine->socket, CODE_NORMAL, reason);
    } else if (!engine->is_closing) {
        decide_end(engine, CODE_NORMAL, reason);
        linger(engine, EIO_NOOP, LINGER_MS);
    }
}

/* The client broke the protocol. */
static bool refuse(Engine *engine) {
    engine_end(engine, WS_CODE_PROTOCOL, STR("malformed packet"), EIO_CLOSE);
    return false;
}

/* `owner` is told last; nothing of the engine is there any more when it returns. */
static void finish(Engine *engine, uint16_t code, Str reason) {
    wheel_stop(&engine->engines->net->wheel, &engine->timer);
    list_remove(&engine->flush.link);
    engine->is_closing = engine->is_over = true;
    if (engine->probe != NULL) probe_abandon(engine->probe);
    if (engine->polling != NULL) {
        engines_note_socket(engine->engines);
        polling_answer(&engine->polling->post, "sid-unknown", NULL);
        polling_free(engine->polling);
        engine->polling = NULL;
    }
    if (engine->entry != NULL) engines_remove(engine->engines, engine);
    engine->handler->on_close(engine->owner, code, reason);
    backlog_free(&engine->backlog);
    bytes_release(engine->close_reason);
    mem_free(engine);
}

/* --- what comes --- */

static bool is_full(const Engine *engine) {
    return backlog_is_full(engine->backlog, limits_of(engine)->ws.message_bytes_max);
}

static void block(Engine *engine) {
    if (engine->is_blocked || !is_full(engine)) return;
    engine->is_blocked = true;
    if (engine->socket != NULL) socket_hold(engine->socket);
}

static void unblock(Engine *engine) {
    if (!engine->is_blocked || is_full(engine)) return;
    engine->is_blocked = false;
    engine->awaits_pong = false;
    engine->beat_ms = next_beat(engine);
    if (engine->socket != NULL) {
        socket_resume(engine->socket);
    } else {
        polling_answer(&engine->polling->post, NULL, bytes_copy(STR("ok")));
    }
}

static bool is_spent(const Engine *engine) {
    return engine->polling != NULL && engine->budget == 0;
}

static void give_message(Engine *engine, bool is_binary, Str message) {
    if (engine->budget > 0) engine->budget--;
    engine->handler->on_message(engine->owner, is_binary, message);
}

static void hand_out(Engine *engine, bool is_binary, Str message) {
    if (engine->is_held || engine->backlog != NULL || is_spent(engine)) {
        backlog_add(&engine->backlog, is_binary, message);
        block(engine);
    } else {
        give_message(engine, is_binary, message);
    }
}

static void rest_if_spent(Engine *engine) {
    if (engine->is_held || engine->backlog == NULL || !is_spent(engine) || engine->is_over) return;
    engine->is_resting = true;
    arm(engine);
}

static void end_rest(Engine *engine) {
    engine->is_resting = false;
    engine->budget = MESSAGES_AT_ONCE;
    if (!engine->is_held) engine_resume(engine);
}

static void hear_pong(Engine *engine) {
    if (!engine->awaits_pong) return;
    engine->awaits_pong = false;
    engine->beat_ms = next_beat(engine);
}

/* A WebSocket has looked at that already. */
static bool take_message(Engine *engine, const EioPacket *packet) {
    if (packet->data.len > limits_of(engine)->ws.message_bytes_max) {
        metrics_add(METRIC_limit_hits_total, 1);
        engine_end(engine, WS_CODE_TOO_BIG, STR("message too big"), EIO_CLOSE);
        return false;
    }
    hand_out(engine, packet->is_binary, packet->data);
    return true;
}

static bool take_packet(Engine *engine, const EioPacket *packet) {
    switch (packet->type) {
    case EIO_MESSAGE: return take_message(engine, packet);
    case EIO_PONG: hear_pong(engine); return true;
    case EIO_NOOP: return true;
    case EIO_CLOSE: leave(engine); return true;
    default: return refuse(engine);
    }
}

bool engine_receive(Engine *engine, Str body) {
    EioWalk walk = eio_walk(body);
    EioPacket packet;
    int err = 0;
    bool is_right = true;
    if (!engine->is_resting) engine->budget = MESSAGES_AT_ONCE;
    while (is_right && !engine->is_closing && eio_next(&walk, &packet, &err)) {
        is_right = take_packet(engine, &packet);
    }
    eio_end(&walk);
    rest_if_spent(engine);
    return err == 0 ? is_right : refuse(engine);
}

/* on_message may hold, resume and close; a resume from within comes back to this loop. */
void engine_resume(Engine *engine) {
    bool is_binary;
    Str message;
    engine->is_held = false;
    if (engine->is_delivering) return;
    engine->is_delivering = true;
    while (!engine->is_held && !is_spent(engine) && !engine_is_closing(engine) &&
           backlog_take(engine->backlog, &is_binary, &message)) {
        give_message(engine, is_binary, message);
    }
    engine->is_delivering = false;
    backlog_trim(&engine->backlog);
    if (engine_is_closing(engine)) return;
    unblock(engine);
    rest_if_spent(engine);
}

void engine_hold(Engine *engine) {
    engine->is_held = true;
}

/* --- what goes --- */

static bool finish_polling(Engine *engine, bool is_queued) {
    if (is_queued) {
        engine_touch(engine);
    } else {
        engine_end(engine, SOCKET_CODE_SLOW, STR("slow reader"), EIO_CLOSE);
    }
    return is_queued;
}

bool engine_deliver(Engine *engine, const Delivery *delivery) {
    if (engine->socket != NULL) return socket_deliver(socket_conn(engine->socket), delivery);
    return !engine->is_closing && finish_polling(engine, polling_deliver(engine->polling, delivery));
}

static bool is_binary_frame(const Bytes *frame) {
    WsOpcode opcode;
    Str frames = bytes_str(frame);
    ws_split(&frames, &opcode);
    return opcode == WS_BINARY;
}

bool engine_send(Engine *engine, Bytes *frame) {
    if (engine->is_text_only && is_binary_frame(frame)) {
        Bytes *text = eio_encode_text(frame);
        bytes_release(frame);
        frame = text;
    }
    if (engine->socket != NULL) return socket_send(engine->socket, frame);
    bool is_open = !engine->is_closing;
    if (is_open && finish_polling(engine, polling_send(engine->polling, frame))) return true;
    bytes_release(frame);
    return false;
}

/* --- time --- */

static void send_ping(Engine *engine) {
    /* The same for all; its first reference is never released. */
    static Bytes ping = {.refs = 1, .len = 3, .data = {(char)(0x80 | WS_TEXT), 1, '2'}};
    engine->awaits_pong = true;
    engine->beat_ms += limits_of(engine)->ping_timeout_ms;
    engine_send(engine, bytes_retain(&ping));
}

static void lose(Engine *engine) {
    if (engine->socket != NULL) {
        socket_cut(engine->socket, WS_CODE_LOST, STR("ping timeout"));
    } else {
        engine_end(engine, WS_CODE_LOST, STR("ping timeout"), EIO_CLOSE);
    }
}

bool engine_is_late(Engine *engine) {
    const NetLimits *limits = limits_of(engine);
    uint64_t due_ms = engine->beat_ms + (engine->awaits_pong ? 0 : limits->ping_timeout_ms);
    if (engine->is_closing || engine->is_blocked || now_of(engine) < due_ms) return false;
    lose(engine);
    return true;
}

static void beat(Engine *engine) {
    if (engine->is_closing) {
        engine_end(engine, engine->close_code, STR_NONE, EIO_CLOSE);
    } else if (engine->is_blocked) {
        engine->beat_ms = next_beat(engine);
    } else if (engine->awaits_pong) {
        lose(engine);
    } else {
        send_ping(engine);
    }
}

static void end_pause(Engine *engine) {
    engine->is_paused = false;
    conn_write_start(socket_conn(engine->socket));
}

static void on_fire(WheelTimer *timer, uint64_t now_ms) {
    Engine *engine = list_entry(timer, Engine, timer);
    if (engine->is_paused) end_pause(engine);
    if (engine->is_resting) end_rest(engine);
    if (engine->socket != NULL && socket_is_closing(engine->socket)) return;
    if (engine->deadline_ms != 0 && now_ms >= engine->deadline_ms) {
        engine->deadline_ms = 0;
        engine->handler->on_timer(engine->owner);
    }
    if (now_ms >= engine->beat_ms) beat(engine);
    if (!engine->is_over && !(engine->socket != NULL && socket_is_closing(engine->socket))) arm(engine);
}

void engine_set_deadline(Engine *engine, uint64_t deadline_ms) {
    if (engine_is_closing(engine)) return;
    engine->deadline_ms = deadline_ms;
    arm(engine);
}

void engine_pause(Engine *engine) {
    if (engine->socket == NULL || engine_is_closing(engine)) return;
    Conn *conn = socket_conn(engine->socket);
    conn_flush(conn);
    conn_write_stop(conn);
    engine->is_paused = true;
    arm(engine);
}

void engine_wake(Engine *engine) {
    if (engine->is_over) return;
    engine->is_woken = true;
    engine_touch(engine);
}

/* --- the end of a turn --- */

static void answer_poll(Engine *engine) {
    Polling *polling = engine->polling;
    if (polling->poll.give == NULL) return;
    bool has_upgrade = engine->probe != NULL && probe_is_confirmed(engine->probe);
    if (polling->outbox.count == 0 && engine->is_closing) {
        polling_add(polling, eio_encode((EioType)engine->last, STR_NONE));
        engine->is_over = true;
    }
    if (polling->outbox.count == 0 && has_upgrade) polling_add(polling, eio_encode(EIO_NOOP, STR_NONE));
    if (polling->outbox.count > 0) polling_flush(polling);
}

/* May free the engine. */
static void flush(NetDeferred *deferred) {
    Engine *engine = list_entry(deferred, Engine, flush);
    if (engine->is_woken) {
        engine->is_woken = false;
        engine->handler->on_timer(engine->owner);
    }
    if (engine->polling == NULL) return;
    answer_poll(engine);
    if (!engine->is_over) return;
    Str reason = engine->close_reason != NULL ? bytes_str(engine->close_reason) : STR_NONE;
    finish(engine, engine->close_code, reason);
}

/* --- opening --- */

/* A text is one packet, as a polling body of one would be. */
static void take_text(Engine *engine, Str text) {
    EioWalk walk = eio_walk(text);
    EioPacket packet;
    int err = ERR_INVALID;
    if (eio_next(&walk, &packet, &err)) {
        take_packet(engine, &packet);
    } else {
        refuse(engine);
    }
    eio_end(&walk);
}

static void on_socket_message(void *owner, bool is_binary, Str payload) {
    Engine *engine = owner;
    EioPacket packet = {EIO_MESSAGE, true, payload};
    if (is_binary) {
        take_packet(engine, &packet);
    } else if (payload.len > 0 && payload.data[0] == 'b') {
        take_text(engine, payload);
    } else if (eio_parse(payload, &packet)) {
        take_packet(engine, &packet);
    } else {
        refuse(engine);
    }
}

static void on_socket_timer(void *owner) {
    (void)owner; /* an engine has a timer of its own */
}

static void on_socket_close(void *owner, uint16_t code, Str reason) {
    finish(owner, code, reason);
}

static const SocketHandler socket_handler = {
    .on_message = on_socket_message, .on_timer = on_socket_timer, .on_close = on_socket_close};

static Engine *engine_new(struct Engines *engines, const SocketHandler *handler, void *owner) {
    Engine *engine = mem_zalloc(sizeof *engine);
    *engine = (Engine){.engines = engines, .handler = handler, .owner = owner};
    net_deferred_init(&engine->flush, flush);
    wheel_timer_init(&engine->timer, on_fire);
    engine->beat_ms = next_beat(engine);
    arm(engine);
    return engine;
}

static void add_handshake(const Engine *engine, Str sid, Buf *out) {
    const NetLimits *limits = limits_of(engine);
    EioHandshake handshake = {sid, engine->polling != NULL, limits->ping_interval_ms,
                              limits->ping_timeout_ms, limits->polling_bytes_max};
    eio_add_handshake(out, &handshake);
}

Engine *engine_open(struct Engines *engines, const SocketHandler *handler, void *owner, Buf *answer) {
    Engine *engine = engine_new(engines, handler, owner);
    char sid[ENGINE_SID_LEN + 1];
    engine->polling = polling_new(engines->net);
    engines_add(engines, engine, sid);
    buf_add_char(answer, '0' + EIO_OPEN);
    add_handshake(engine, str_of(sid), answer);
    if (engines->net->is_draining) {
        engine_end(engine, SOCKET_CODE_RESTART, STR("the server restarts"), EIO_CLOSE);
    }
    return engine;
}

int engine_open_socket(struct Engines *engines, Request *request, const SocketHandler *handler,
                       void *owner, Engine **engine) {
    Engine *opened = engine_new(engines, handler, owner);
    int err = socket_open(request, STR_NONE, &socket_handler, opened, &opened->socket);
    if (err != 0) {
        wheel_stop(&engines->net->wheel, &opened->timer);
        mem_free(opened);
        return err;
    }
    socket_stop_pings(opened->socket);
    char sid[ENGINE_SID_LEN + 1];
    engines_make_sid(engines, sid); /* nobody can come back with it, so it is kept nowhere */
    Buf handshake = BUF_NONE;
    add_handshake(opened, str_of(sid), &handshake);
    socket_send(opened->socket, eio_encode(EIO_OPEN, buf_str(&handshake)));
    buf_deinit(&handshake);
    *engine = opened;
    return 0;
}

/* --- from polling to a WebSocket --- */

void engine_take_socket(Engine *engine, Socket *socket) {
    Polling *polling = engine->polling;
    polling_answer_poll(polling, bytes_copy(STR("6")));
    polling_answer(&polling->post, NULL, bytes_copy(STR("ok")));
    engines_note_socket(engine->engines);
    engine->polling = NULL;
    engine->socket = socket;
    socket_set_handler(socket, &socket_handler, engine);
    polling_move(polling, socket_send, socket);
    polling_free(polling);
    if (engine->is_blocked) socket_hold(socket);
}
