/* SPDX-License-Identifier: Apache-2.0 */
#include "socketio/lane.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/quota.h"
#include "net/ws.h"
#include "socketio/eio.h"
#include "socketio/engines.h"
#include "socketio/mux.h"

enum { CODE_NORMAL = 1000, CODE_LOST = 1006, CODE_OWN = 4000, CODE_STAY_AWAY = 4500, PID_MAX = 64 };

Str lane_name(const Lane *lane) {
    return lane->space != NULL ? space_name(lane->space) : STR("/");
}

static bool is_closing(const void *transport) {
    const Lane *lane = transport;
    return lane->close_code != 0 || lane->engine == NULL || engine_is_closing(lane->engine);
}

static uint16_t close_code(const void *transport) {
    const Lane *lane = transport;
    if (!is_closing(lane)) return 0;
    if (lane->close_code != 0) return lane->close_code;
    return lane->engine != NULL && lane->engine->close_code != 0 ? lane->engine->close_code : CODE_LOST;
}

/* --- out --- */

static bool send_packet(Lane *lane, SioType type, Str data) {
    SioFrame frame = {.type = type, .name_space = lane_name(lane), .ack = SIO_NO_ACK, .data = data};
    return engine_send(lane->engine, sio_encode(&frame));
}

static Bytes *deliver(Subscriber *subscriber, const Message *message) {
    Lane *lane = subscriber->transport;
    if (is_closing(lane)) return NULL;
    bool is_main = lane->space == NULL;
    Bytes *frame = is_main ? message_frame(message, MESSAGE_SIO) : space_frame(lane->space, message);
    return engine_deliver(lane->engine, &(Delivery){subscriber, message, frame}) ? frame : NULL;
}

/* With an ack it is the answer to an event of the client, else an event, which may ask for an answer. */
static bool send_parts(void *transport, const MessageParts *parts) {
    Lane *lane = transport;
    MessageParts list = *parts;
    SioFrame frame = {
        .type = SIO_EVENT, .name_space = lane_name(lane), .binary_count = parts->binary_count};
    frame.ack = parts->ask > 0 ? (int64_t)parts->ask : SIO_NO_ACK;
    if (parts->ack.len > 0) {
        list.event = STR_NONE;
        frame.type = SIO_ACK;
        if (text_parse_number(parts->ack, &frame.ack) != 0) return false;
    }
    Buf data = BUF_NONE;
    sio_add_arguments(&data, &list, parts->is_spread);
    frame.data = buf_str(&data);
    bool is_sent = engine_send(lane->engine, sio_encode(&frame));
    buf_deinit(&data);
    return is_sent;
}

bool lane_send_binary(Lane *lane, Str bytes) {
    return !is_closing(lane) && engine_send(lane->engine, ws_encode(WS_BINARY, bytes));
}

/* Socket.IO's own recovery: the client comes back with the pid of its first connection and the offset of the
 * last event, if there was one. Ours is the cursor of that beginning, so that it serves alone, and the id of
 * that session. The same pid tells the client that it has missed nothing. */
static void add_pid(const Lane *lane, const SessionStart *start, Buf *out) {
    bool is_same = start->is_whole && lane->pid != NULL;
    if (!is_same && start->cursor.len == 0) return;
    buf_add(out, STR(",\"pid\":"));
    if (is_same) {
        json_encode_string(bytes_str(lane->pid), out);
    } else {
        buf_addf(out, "\"%.*s.%s\"", STR_ARG(start->cursor), lane->session->facts.id);
    }
}

static void send_connect(Lane *lane, const SessionStart *start) {
    Buf data = BUF_NONE;
    buf_addf(&data, "{\"sid\":\"%s\"", lane->session->facts.id);
    add_pid(lane, start, &data);
    buf_add_char(&data, '}');
    send_packet(lane, SIO_CONNECT, buf_str(&data));
    buf_deinit(&data);
}

static void go_live(void *transport, const SessionStart *start) {
    Lane *lane = transport;
    lane->is_live = true;
    send_connect(lane, start);
    engine_pause(lane->engine);
    bytes_release(lane->pid);
    lane->pid = NULL;
}

/* --- the end --- */

static void mark_closed(Lane *lane, uint16_t code, Str reason) {
    lane->close_code = code;
    if (reason.len > 0) lane->close_reason = bytes_copy(reason);
    engine_wake(lane->engine); /* the mux does the rest */
}

static void refuse(Lane *lane, uint16_t code, Str reason) {
    Buf data = BUF_NONE;
    buf_add(&data, STR("{\"message\":"));
    json_encode_string(reason, &data);
    if (code >= CODE_OWN) buf_addf(&data, ",\"data\":{\"code\":%d}", code);
    buf_add_char(&data, '}');
    send_packet(lane, SIO_CONNECT_ERROR, buf_str(&data));
    buf_deinit(&data);
}

static void say_closed(Lane *lane, uint16_t code, Str reason) {
    Buf data = BUF_NONE;
    buf_addf(&data, "[\"chatty:closed\",{\"code\":%d,\"reason\":", code);
    json_encode_string(reason, &data);
    buf_add(&data, STR("}]"));
    send_packet(lane, SIO_EVENT, buf_str(&data));
    buf_deinit(&data);
}

/* A client does not come back by itself for a namespace that was refused. */
static void close_early(Lane *lane, uint16_t code, Str reason) {
    if (code >= CODE_OWN && code < CODE_STAY_AWAY) {
        engine_close(lane->engine, code, reason);
    } else {
        refuse(lane, code, reason);
        mark_closed(lane, code, reason);
    }
}

static void close_lane(void *transport, uint16_t code, Str reason) {
    Lane *lane = transport;
    if (is_closing(lane)) return;
    if (!lane->is_live) {
        close_early(lane, code, reason);
        return;
    }
    say_closed(lane, code, reason);
    if (is_closing(lane)) return; /* that was too much for its queue */
    if (code == CODE_NORMAL || code >= CODE_STAY_AWAY) {
        send_packet(lane, SIO_DISCONNECT, STR_NONE);
        mark_closed(lane, code, reason);
    } else {
        engine_close(lane->engine, code, reason);
    }
}

void lane_leave(Lane *lane) {
    if (is_closing(lane)) return;
    lane->is_leaving = true;
    if (lane->backlog == NULL) mark_closed(lane, CODE_NORMAL, STR("the client disconnected"));
}

void lane_free(Lane *lane, uint16_t code, Str reason) {
    bool is_own = lane->close_code != 0;
    Str own = lane->close_reason != NULL ? bytes_str(lane->close_reason) : STR_NONE;
    if (lane->is_full && lane->engine != NULL) mux_release(lane->mux);
    lane->engine = NULL;
    session_on_close(lane->session, is_own ? lane->close_code : code, is_own ? own : reason);
    if (lane->space != NULL) space_release(lane->space);
    backlog_free(&lane->backlog);
    bytes_release(lane->close_reason);
    bytes_release(lane->pid);
    mem_free(lane);
}

/* --- in --- */

static bool is_full(const Lane *lane) {
    return backlog_is_full(lane->backlog, engine_net(lane->engine)->limits.ws.message_bytes_max);
}

static void keep(Lane *lane, const SioPacket *packet) {
    backlog_add(&lane->backlog, false, packet->text);
    for (uint32_t i = 0; i < packet->binary_count; i++) {
        backlog_add(&lane->backlog, true, packet->binaries[i]);
    }
    if (!lane->is_full && is_full(lane)) {
        lane->is_full = true;
        mux_hold(lane->mux);
    }
}

/* An acknowledgement waits for nothing: the handler that holds the session may wait for it. */
void lane_take(Lane *lane, const SioPacket *packet) {
    if (is_closing(lane) || lane->is_leaving) return;
    if (packet->type == SIO_ACK) {
        lane->session->owner->handler->on_packet(lane->session, packet);
    } else if (!lane->is_live || lane->is_held || lane->backlog != NULL) {
        keep(lane, packet);
    } else {
        session_hold(lane->session);
        lane->session->owner->handler->on_packet(lane->session, packet);
    }
}

static void hand_out(Lane *lane, Str text) {
    SioPacket packet;
    sio_parse(text, &packet);
    Str *binaries = NULL;
    bool is_binary;
    if (packet.binary_count > 0) binaries = mem_grow(NULL, packet.binary_count, sizeof *binaries);
    for (uint32_t i = 0; i < packet.binary_count; i++) {
        backlog_take(lane->backlog, &is_binary, &binaries[i]);
    }
    packet.binaries = binaries;
    session_hold(lane->session);
    lane->session->owner->handler->on_packet(lane->session, &packet);
    mem_free(binaries);
}

static void hold(void *transport) {
    ((Lane *)transport)->is_held = true;
}

static void settle(Lane *lane) {
    backlog_trim(&lane->backlog);
    if (is_closing(lane)) return;
    if (lane->is_leaving && lane->backlog == NULL) lane_leave(lane);
    if (!lane->is_full || is_full(lane)) return;
    lane->is_full = false;
    mux_release(lane->mux);
}

/* on_packet may hold, resume and close; a resume from within comes back to this loop. */
static void resume(void *transport) {
    Lane *lane = transport;
    bool is_binary;
    Str text;
    lane->is_held = false;
    if (lane->is_delivering || !lane->is_live) return;
    lane->is_delivering = true;
    while (!lane->is_held && !is_closing(lane) && backlog_take(lane->backlog, &is_binary, &text)) {
        hand_out(lane, text);
    }
    lane->is_delivering = false;
    settle(lane);
}

/* --- time --- */

static void set_deadline(void *transport, uint64_t deadline_ms) {
    Lane *lane = transport;
    lane->deadline_ms = deadline_ms;
    if (!is_closing(lane)) mux_arm(lane->mux);
}

void lane_on_time(Lane *lane, uint64_t now_ms) {
    if (is_closing(lane) || lane->deadline_ms == 0 || now_ms < lane->deadline_ms) return;
    lane->deadline_ms = 0;
    session_on_timer(lane->session);
}

static uint32_t waiting(const void *transport) {
    const Lane *lane = transport;
    return lane->engine != NULL ? engine_waiting(lane->engine) : 0;
}

static uint64_t overdue(void *transport) {
    const Engine *engine = ((Lane *)transport)->engine;
    if (engine == NULL || engine->is_over) return 0;
    return engine->socket != NULL ? quota_overdue(socket_conn(engine->socket))
                                  : polling_overdue(engine->polling);
}

static void cut(void *transport) {
    Engine *engine = ((Lane *)transport)->engine;
    static const Str reason = {"slow reader", sizeof "slow reader" - 1};
    if (engine->socket != NULL) {
        socket_cut(engine->socket, SOCKET_CODE_SLOW, reason);
    } else {
        engine_end(engine, SOCKET_CODE_SLOW, reason, EIO_CLOSE);
    }
}

static Net *net_of(void *transport) {
    return mux_net(((Lane *)transport)->mux);
}

static const TransportClass transport_class = {
    .subscriber = SESSION_SUBSCRIBER(deliver),
    .name = "sio",
    .send = send_parts,
    .go_live = go_live,
    .hold = hold,
    .resume = resume,
    .set_deadline = set_deadline,
    .close = close_lane,
    .close_code = close_code,
    .waiting = waiting,
    .overdue = overdue,
    .cut = cut,
    .net = net_of,
};

Lane *lane_of(const Session *session) {
    bool is_sio = session_is_bound(session) && session->subscriber.class == &transport_class.subscriber;
    return is_sio ? session->subscriber.transport : NULL;
}

void lane_note_auth(Lane *lane, Str auth) {
    Str raw;
    if (auth.len == 0 || !json_find(auth, STR("pid"), &raw) || json_type(raw) != JSON_STRING) return;
    Buf pid = BUF_NONE;
    json_decode_string(raw, &pid);
    if (pid.len > 0 && pid.len <= PID_MAX) lane->pid = bytes_copy(buf_str(&pid));
    buf_deinit(&pid);
}

Lane *lane_new(struct Mux *mux, Engine *engine, Str name, Session *session) {
    Lane *lane = mem_zalloc(sizeof *lane);
    *lane = (Lane){.mux = mux, .engine = engine, .session = session};
    if (!str_equal(name, STR("/"))) lane->space = space_retain(&engine->engines->spaces, name);
    session_bind(session, &transport_class, lane);
    return lane;
}
