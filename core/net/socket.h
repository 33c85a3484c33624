/* SPDX-License-Identifier: Apache-2.0
 *
 * socket: one WebSocket connection: Conn and Ws joined, with pings, the closing handshake and the
 * limit of the outgoing queue. Sessions and plugins' raw sockets are built on it. Owns its Conn;
 * frees itself after on_close. Pings a peer that was silent for ping_interval_ms; any byte counts
 * as a sign of life; without one the connection ends after ping_timeout_ms. Worker's thread only.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "base/bytes.h"
#include "base/err.h"
#include "hub/message.h"
#include "net/conn.h"
#include "net/request.h"

typedef struct Socket Socket;

/* For net->ws_pool: every Ws of a worker is a socket's. */
extern const WsHandler socket_ws_handler;

/* Close codes: the worker stops; the peer does not read what was sent to it. */
enum { SOCKET_CODE_RESTART = 1012, SOCKET_CODE_SLOW = 4002 };

/* Callbacks borrow and may call any socket_ function. Once the socket is closing only on_close
 * comes. */
typedef struct SocketHandler {
    void (*on_message)(void *owner, bool is_binary, Str payload);
    void (*on_timer)(void *owner); /* the deadline of socket_set_deadline passed */
    /* Last, and exactly once. `code` is what the peer or we closed with, whoever was first; 1006
     * for a connection that just went away. */
    void (*on_close)(void *owner, uint16_t code, Str reason);
} SocketHandler;

/* Upgrades: answers the request (checked by handshake_check) with 101 and takes its connection, not
 * the request. The first callback comes from the loop, never from within. ERR_CLOSED: the
 * connection is gone. */
WARN_UNUSED int socket_open(Request *request, Str protocol, const SocketHandler *handler, void *owner,
                            Socket **socket);

/* The same on a connection without a handler, which it takes: writes `answer` (takes one reference), reads
 * `rest` and then what comes. */
Socket *socket_adopt(Conn *conn, Bytes *answer, Str rest, const SocketHandler *handler, void *owner);

/* Another owner from now on, but for what waits in the backlog of a held socket: that goes to it too. */
void socket_set_handler(Socket *socket, const SocketHandler *handler, void *owner);

/* No pings any more: the owner notices a peer that went away. */
void socket_stop_pings(Socket *socket);

/* Queues a whole frame (ws_encode); takes one reference. False: the socket is closing, or more than
 * limits.queue_bytes_max would wait. Then the frame is dropped and the socket closes with 4002: what
 * waits is still sent, as much as the peer takes within limits.close_timeout_ms. An empty queue takes
 * one frame of any size, and one that the peer was not offered yet eight times the limit. */
bool socket_send(Socket *socket, Bytes *frame);

/* The same for the frame of an event in fan-out, by quota_deliver: see conn_write_unretained. Of a socket whose
 * peer keeps up it touches the Conn alone, by which it is called. Does not call back. */
bool socket_deliver(Conn *conn, const Delivery *delivery);

/* on_message is not called until socket_resume: the owner works on a message. Pings are answered
 * meanwhile. Messages that come wait inside, up to limits.ws.message_bytes_max bytes or 64 messages,
 * then reading stops; a close frame of the peer waits behind them, at most limits.close_timeout_ms.
 * Until its turn the socket is not closing. socket_resume hands out what waits before it returns.
 * Both may be repeated. */
void socket_hold(Socket *socket);
void socket_resume(Socket *socket);

/* A deadline of the owner's own, monotonic milliseconds; 0 takes it back. */
void socket_set_deadline(Socket *socket, uint64_t deadline_ms);

/* Ends the connection without one, for the peer is gone, or takes nothing. */
void socket_cut(Socket *socket, uint16_t code, Str reason);

/* Starts the closing handshake; on_close comes when the peer answered, or after
 * limits.close_timeout_ms. `code` 1005 says nothing, else it must be ws_code_is_valid. May be
 * repeated; the first counts. */
void socket_close(Socket *socket, uint16_t code, Str reason);
bool socket_is_closing(const Socket *socket);
uint16_t socket_close_code(const Socket *socket); /* 0: it is not closing */
uint32_t socket_waiting(const Socket *socket);    /* frames that the kernel has not taken */

/* The worker stops, behind exchange_drain: closes with 1012 at most *left of those that are not closing, and
 * counts them off. Those that open from now on are closed at once. */
void socket_drain(Net *net, uint32_t *left);
Conn *socket_conn(Socket *socket);

#endif
