/* SPDX-License-Identifier: Apache-2.0
 *
 * engine: one Engine.IO v4 connection: a WebSocket, or polling requests that may turn into one. To its
 * owner it looks like a Socket: whole messages in, frames out, one deadline, one close. It pings the
 * client, and ends when no pong comes. While it polls it stands in the table of its worker (engines).
 * Frees itself after on_close. Worker's thread only.
 */
#ifndef SOCKETIO_ENGINE_H
#define SOCKETIO_ENGINE_H

#include "base/err.h"
#include "net/backlog.h"
#include "net/socket.h"
#include "socketio/polling.h"

struct Engines;

enum { ENGINE_SID_LEN = 24 };

typedef struct Engine {
    struct Engines *engines;
    const SocketHandler *handler;
    void *owner;
    Socket *socket;            /* NULL while it polls */
    Polling *polling;          /* NULL once it is a WebSocket */
    struct Probe *probe;       /* a WebSocket that is to take over; NULL: none */
    struct EngineEntry *entry; /* in the table of engines; NULL when it opened with a WebSocket */
    Backlog *backlog;
    Bytes *close_reason;
    NetDeferred flush; /* what this turn of the loop leaves to do */
    WheelTimer timer;
    uint64_t beat_ms;     /* when the next ping is due, or the pong to the last one */
    uint64_t deadline_ms; /* the owner's; 0: none */
    uint16_t close_code;
    uint8_t last;          /* EioType of what a poll is answered with when the engine closes */
    uint16_t budget;       /* polling: messages that may be handed out before it rests */
    bool is_text_only : 1; /* the client wants binary messages as base64, also on a WebSocket */
    bool awaits_pong : 1;
    bool is_held : 1;
    bool is_delivering : 1;
    bool is_blocked : 1; /* the backlog is full: nothing more is read */
    bool is_closing : 1; /* polling: code and reason are decided */
    bool is_over : 1;    /* and it ends with this turn of the loop */
    bool is_resting : 1; /* what waits is handed out with the next tick: others have their turn */
    bool is_paused : 1;  /* what is sent leaves with the next tick */
    bool is_woken : 1;   /* on_timer is due at the end of the turn */
} Engine;

/* Opens with polling, unless engines_are_full; the sid names the worker too. Appends the handshake, which
 * answers the client's first GET, to `answer`. Gives. */
Engine *engine_open(struct Engines *engines, const SocketHandler *handler, void *owner, Buf *answer);

/* Opens with a WebSocket, as socket_open, and sends the handshake. */
WARN_UNUSED int engine_open_socket(struct Engines *engines, Request *request,
                                   const SocketHandler *handler, void *owner, Engine **engine);

/* As those of Socket; frames are whole WebSocket frames that hold one packet each (eio_encode, sio_encode, or
 * ws_encode of a binary message); what is delivered may be several of them. */
bool engine_send(Engine *engine, Bytes *frame);
bool engine_deliver(Engine *engine, const Delivery *delivery);
void engine_hold(Engine *engine);
void engine_resume(Engine *engine);
void engine_set_deadline(Engine *engine, uint64_t deadline_ms);
void engine_close(Engine *engine, uint16_t code, Str reason);
bool engine_is_closing(const Engine *engine);
Net *engine_net(const Engine *engine);
uint32_t engine_waiting(const Engine *engine); /* frames that the kernel has not taken */

/* What was sent up to now leaves now, what is sent from now on not before the next tick: some clients, that of
 * the protocol's own test suite too, miss the second of two messages that come in one read while they
 * turn to the first. For WebSocket; a poll that waits is answered as always. */
void engine_pause(Engine *engine);

/* on_timer comes with the end of this turn of the loop, whatever the deadline is. */
void engine_wake(Engine *engine);

/* --- for engines and probe --- */

/* Takes the packets of a POST body. False: one is none; the engine ends. */
bool engine_receive(Engine *engine, Str body);

/* Ends it with this turn of the loop; a GET that waits gets what is queued and then `last`, an EioType. */
void engine_end(Engine *engine, uint16_t code, Str reason, int last);

/* True, and it ends, when the pong is overdue. */
bool engine_is_late(Engine *engine);

/* From polling to this socket. Takes it. */
void engine_take_socket(Engine *engine, Socket *socket);

/* A poll of it may be answered, or it may end, with this turn of the loop. */
void engine_touch(Engine *engine);

#endif
