/* SPDX-License-Identifier: Apache-2.0 */
#include "socketio/probe.h"

#include "base/mem.h"
#include "net/ws.h"
#include "socketio/eio.h"

enum { CODE_NORMAL = 1000 };

struct Probe {
    Engine *engine; /* NULL: it went away */
    Socket *socket;
    bool is_confirmed;
};

static void confirm(Probe *probe) {
    probe->is_confirmed = true;
    socket_send(probe->socket, eio_encode(EIO_PONG, STR("probe")));
    engine_touch(probe->engine);
}

static void change_over(Probe *probe) {
    Engine *engine = probe->engine;
    Socket *socket = probe->socket;
    engine->probe = NULL;
    mem_free(probe);
    socket_set_deadline(socket, 0);
    engine_take_socket(engine, socket);
}

static void on_message(void *owner, bool is_binary, Str payload) {
    Probe *probe = owner;
    EioPacket packet;
    bool is_packet = probe->engine != NULL && !engine_is_closing(probe->engine) && !is_binary &&
                     eio_parse(payload, &packet);
    if (is_packet && packet.type == EIO_PING && str_equal(packet.data, STR("probe"))) {
        confirm(probe);
    } else if (is_packet && packet.type == EIO_UPGRADE && probe->is_confirmed) {
        change_over(probe);
    } else {
        socket_close(probe->socket, WS_CODE_PROTOCOL, STR("not a probe"));
    }
}

static void on_timer(void *owner) {
    Probe *probe = owner;
    socket_close(probe->socket, CODE_NORMAL, STR("the upgrade took too long"));
}

static void on_close(void *owner, uint16_t code, Str reason) {
    (void)code, (void)reason;
    Probe *probe = owner;
    if (probe->engine != NULL) probe->engine->probe = NULL;
    mem_free(probe);
}

static const SocketHandler socket_handler = {
    .on_message = on_message, .on_timer = on_timer, .on_close = on_close};

void probe_open(Engine *engine, Conn *conn, Bytes *answer, Str rest) {
    Probe *probe = mem_zalloc(sizeof *probe);
    probe->engine = engine;
    probe->socket = socket_adopt(conn, answer, rest, &socket_handler, probe);
    engine->probe = probe;
    socket_stop_pings(probe->socket);
    const Net *net = engine_net(engine);
    socket_set_deadline(probe->socket, net_now_ms(net) + net->limits.upgrade_timeout_ms);
}

void probe_abandon(Probe *probe) {
    probe->engine = NULL;
    socket_close(probe->socket, CODE_NORMAL, STR("the session is over"));
}

bool probe_is_confirmed(const Probe *probe) {
    return probe->is_confirmed;
}
