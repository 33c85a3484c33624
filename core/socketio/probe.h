/* SPDX-License-Identifier: Apache-2.0
 *
 * probe: a WebSocket of a client that polls and wants to change over: the client sends 2probe, the server
 * answers 3probe, the client lets its last poll end and sends 5. Frees itself when its socket closes or
 * becomes the engine's. Worker's thread only.
 */
#ifndef SOCKETIO_PROBE_H
#define SOCKETIO_PROBE_H

#include "socketio/engine.h"

typedef struct Probe Probe;

/* Takes the connection and one reference of the handshake's answer. Its engine has no other probe. */
void probe_open(Engine *engine, Conn *conn, Bytes *answer, Str rest);

/* The engine goes away: the socket is closed. */
void probe_abandon(Probe *probe);

/* Whether 3probe was sent: a poll must end now. */
bool probe_is_confirmed(const Probe *probe);

#endif
