/* SPDX-License-Identifier: Apache-2.0 */
#include "socketio/engines.h"

#include <stdio.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"
#include "data/secret.h"
#include "net/drain.h"
#include "net/ws.h"
#include "socketio/eio.h"
#include "socketio/probe.h"

enum { RANDOM_BYTES = 16, WORKER_DIGITS = 2, REFUSE_MS = 50 };

/* What stands in the table: an Engine that opened with a WebSocket needs none. */
typedef struct EngineEntry {
    Engine *engine;
    char sid[ENGINE_SID_LEN + 1];
} EngineEntry;

static Str sid_of(const void *value) {
    return str_make(((const EngineEntry *)value)->sid, ENGINE_SID_LEN);
}

void engines_init(Engines *engines, Net *net, unsigned worker) {
    *engines = (Engines){.net = net, .worker = worker};
    map_init(&engines->by_sid, sid_of);
    list_init(&engines->spaces);
}

void engines_deinit(Engines *engines) {
    ensure(engines->by_sid.count == 0);
    map_deinit(&engines->by_sid);
}

bool engines_are_full(const Engines *engines) {
    if (engines->by_sid.count < engines->net->limits.connections_max) return false;
    metrics_add(METRIC_limit_hits_total, 1);
    return true;
}

int engines_worker_of(Str sid) {
    if (sid.len != ENGINE_SID_LEN) return -1;
    int high = text_hex_digit(sid.data[0]), low = text_hex_digit(sid.data[1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void engines_make_sid(const Engines *engines, char sid[ENGINE_SID_LEN + 1]) {
    Buf random = BUF_NONE;
    secret_random_text(RANDOM_BYTES, &random);
    ensure(random.len == ENGINE_SID_LEN - WORKER_DIGITS);
    snprintf(sid, ENGINE_SID_LEN + 1, "%02x%.*s", engines->worker & 0xFFU, (int)random.len,
             random.data);
    buf_deinit(&random);
}

void engines_add(Engines *engines, Engine *engine, char sid[ENGINE_SID_LEN + 1]) {
    EngineEntry *entry = mem_zalloc(sizeof *entry);
    engines_make_sid(engines, sid);
    entry->engine = engine;
    memcpy(entry->sid, sid, sizeof entry->sid);
    engine->entry = entry;
    map_add(&engines->by_sid, entry);
    engines->polling_count++;
    metrics_add(METRIC_polling, 1);
}

void engines_remove(Engines *engines, Engine *engine) {
    EngineEntry *entry = map_remove(&engines->by_sid, sid_of(engine->entry));
    ensure(entry == engine->entry);
    engine->entry = NULL;
    mem_free(entry);
}

void engines_note_socket(Engines *engines) {
    engines->polling_count--;
    metrics_add(METRIC_polling, -1);
}

static Engine *find(const Engines *engines, Str sid) {
    EngineEntry *entry = map_find(&engines->by_sid, sid);
    bool does_poll = entry != NULL && entry->engine->polling != NULL && !entry->engine->is_over;
    return does_poll ? entry->engine : NULL;
}

/* The connection a request is for, unless it does not live any more. */
static Engine *find_alive(const Engines *engines, Str sid) {
    Engine *engine = find(engines, sid);
    return engine == NULL || engine_is_late(engine) ? NULL : engine;
}

void engines_poll(Engines *engines, Str sid, PollingAnswer answer) {
    Engine *engine = find_alive(engines, sid);
    if (engine == NULL) {
        polling_answer(&answer, "sid-unknown", NULL);
        return;
    }
    if (engine->polling->poll.give != NULL) {
        engine_end(engine, WS_CODE_PROTOCOL, STR("two polls at once"), EIO_CLOSE);
        polling_answer(&answer, "request-concurrent", NULL);
        return;
    }
    engine->polling->poll = answer;
    metrics_add(METRIC_polls_waiting, 1);
    engine_touch(engine);
}

static void finish_post(Engine *engine, bool is_right, PollingAnswer answer) {
    if (!is_right) {
        polling_answer(&answer, "packet-malformed", NULL);
    } else if (engine->is_blocked && !engine->is_over) {
        engine->polling->post = answer;
    } else {
        polling_answer(&answer, NULL, bytes_copy(STR("ok")));
    }
}

void engines_post(Engines *engines, Str sid, Str body, PollingAnswer answer) {
    Engine *engine = find_alive(engines, sid);
    if (engine == NULL || engine->is_closing) {
        polling_answer(&answer, "sid-unknown", NULL);
        return;
    }
    if (engine->polling->post.give != NULL) {
        engine_end(engine, WS_CODE_PROTOCOL, STR("two posts at once"), EIO_CLOSE);
        polling_answer(&answer, "request-concurrent", NULL);
        return;
    }
    finish_post(engine, engine_receive(engine, body), answer);
}

void engines_abort(Engines *engines, Str sid) {
    Engine *engine = find(engines, sid);
    if (engine != NULL) engine_end(engine, WS_CODE_LOST, STR("a request was cut"), EIO_CLOSE);
}

static void ignore_message(void *owner, bool is_binary, Str payload) {
    (void)owner, (void)is_binary, (void)payload;
}

static void close_refused(void *owner) {
    socket_close(owner, WS_CODE_POLICY, STR("no session polls with this sid"));
}

static void ignore_close(void *owner, uint16_t code, Str reason) {
    (void)owner, (void)code, (void)reason;
}

/* Clients expect a WebSocket that closes, not a handshake that fails; and the one before it, accepted by
 * another worker perhaps, to be heard first. */
static void refuse_upgrade(Conn *conn, Bytes *answer, Str rest) {
    static const SocketHandler handler = {
        .on_message = ignore_message, .on_timer = close_refused, .on_close = ignore_close};
    Net *net = conn_net(conn);
    Socket *socket = socket_adopt(conn, answer, rest, &handler, NULL);
    socket_set_handler(socket, &handler, socket);
    socket_set_deadline(socket, net_now_ms(net) + REFUSE_MS);
}

void engines_upgrade(Engines *engines, Str sid, int fd, Bytes *answer, Str rest) {
    Conn *conn = conn_adopt(engines->net, fd);
    Engine *engine = find_alive(engines, sid);
    if (conn == NULL) {
        bytes_release(answer);
    } else if (engine != NULL && engine->probe == NULL && !engine->is_closing) {
        probe_open(engine, conn, answer, rest);
    } else {
        refuse_upgrade(conn, answer, rest);
    }
}

void engines_drain(Engines *engines, uint64_t until_ms) {
    uint32_t left = drain_share(engines->net, engines->polling_count, until_ms);
    size_t at = 0;
    for (EngineEntry *entry = map_next(&engines->by_sid, &at); entry != NULL;
         entry = map_next(&engines->by_sid, &at)) {
        const Polling *polling = entry->engine->polling;
        bool has_poll = polling != NULL && polling->poll.give != NULL;
        if (polling == NULL || (has_poll && left == 0)) continue;
        if (has_poll) left--;
        engine_end(entry->engine, SOCKET_CODE_RESTART, STR("the server restarts"), EIO_CLOSE);
    }
}

bool engines_are_polling(const Engines *engines) {
    return engines->polling_count > 0;
}
