/* SPDX-License-Identifier: Apache-2.0
 *
 * mux: one Engine.IO connection that speaks Socket.IO: as many sessions as it has namespaces. It reads the
 * packets, knows which Lane they are for, and ends when nobody connects to a namespace in time. Frees
 * itself when its engine closes. Worker's thread only.
 */
#ifndef SOCKETIO_MUX_H
#define SOCKETIO_MUX_H

#include "net/session.h"
#include "socketio/engine.h"
#include "socketio/sio.h"

typedef struct Mux Mux;

/* Borrows all. */
typedef struct MuxHandler {
    /* A client wants into a namespace: makes the session (session_new), pinned once for the handler. */
    Session *(*on_open)(void *context, Mux *mux);
    /* The session has its lane. `auth` is a JSON object or STR_NONE. Its messages wait until it is live. */
    void (*on_connect)(void *context, Mux *mux, Session *session, Str auth);
} MuxHandler;

typedef struct MuxOwner {
    const MuxHandler *handler;
    void *context;
    bool is_text_only; /* the client wants no binary frames */
    bool keeps_token;  /* for the namespaces behind the first */
} MuxOwner;

/* Opens with polling; appends what answers `request`, the client's first GET. `token` is what the request
 * brought to prove who it is, kept for on_connect; may be empty. Copies owner and token. */
void mux_open(struct Engines *engines, const MuxOwner *owner, const Request *request, Str token,
              Buf *answer);

/* The same with a WebSocket. ERR_CLOSED. */
WARN_UNUSED int mux_open_socket(struct Engines *engines, const MuxOwner *owner, Request *request,
                                Str token);

/* For lanes. The engine is held as long as a lane has too many messages. */
void mux_hold(Mux *mux);
void mux_release(Mux *mux); /* once for each mux_hold */
void mux_arm(Mux *mux);     /* the deadline of a lane changed */
Net *mux_net(const Mux *mux);

Address mux_remote(const Mux *mux);
Str mux_token(const Mux *mux);

#endif
