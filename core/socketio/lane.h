/* SPDX-License-Identifier: Apache-2.0
 *
 * lane: the Socket.IO transport of one session: its namespace on a connection that others may share (mux).
 * A session that is not live yet is refused by CONNECT_ERROR. A live one ends with the event chatty:closed
 * and DISCONNECT, from code 4500 on and with 1000 ("stay away"); with any other code ("come back") the whole
 * connection ends, since only then clients connect again by themselves. Worker's thread only.
 */
#ifndef SOCKETIO_LANE_H
#define SOCKETIO_LANE_H

#include "net/backlog.h"
#include "net/session.h"
#include "socketio/engine.h"
#include "socketio/sio.h"
#include "socketio/space.h"

struct Mux;

typedef struct Lane {
    struct Lane *next; /* of the same mux */
    struct Mux *mux;
    Engine *engine; /* NULL: it closed */
    Session *session;
    Space *space; /* NULL: the main namespace */
    Backlog *backlog;
    Bytes *close_reason;
    Bytes *pid;           /* of the client's earlier connection, until it is live; NULL: none */
    uint64_t deadline_ms; /* the session's; 0: none */
    struct Asking *asks;  /* the owner's: what waits for an acknowledgement of the client */
    uint32_t last_ask;    /* the number of the last one; the owner's too */
    uint16_t close_code;  /* 0: it is not closing */
    bool is_live : 1;
    bool is_held : 1;
    bool is_leaving : 1; /* the client disconnected behind what waits in the backlog */
    bool is_delivering : 1;
    bool is_full : 1; /* it holds the engine */
} Lane;

/* Binds the session. `name` STR "/": the main namespace. */
Lane *lane_new(struct Mux *mux, Engine *engine, Str name, Session *session);

/* What the client said with CONNECT: a JSON object, or STR_NONE. */
void lane_note_auth(Lane *lane, Str auth);

/* Tells the session that it closed, and frees the lane. */
void lane_free(Lane *lane, uint16_t code, Str reason);
Str lane_name(const Lane *lane);

/* An event or an acknowledgement of the client. */
void lane_take(Lane *lane, const SioPacket *packet);

/* The client left the namespace. */
void lane_leave(Lane *lane);

/* Its session's deadline may have passed. */
void lane_on_time(Lane *lane, uint64_t now_ms);

/* The lane of a session whose transport is Socket.IO, else NULL. */
Lane *lane_of(const Session *session);

/* Sends a binary message, which belongs to the packet before it. */
bool lane_send_binary(Lane *lane, Str bytes);

#endif
