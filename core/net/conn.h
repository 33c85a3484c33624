/* SPDX-License-Identifier: Apache-2.0
 *
 * conn: one TCP connection: reads into the worker's shared buffer, queues Bytes for writing, closes.
 * It knows no protocol; the one on top (Exchange, then perhaps Socket) is its handler and can change
 * while it lives. A closed Conn is freed by net_flush, after on_close; nobody else frees it. Worker's
 * thread only.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/bytes.h"
#include "base/str.h"
#include "net/address.h"
#include "net/net.h"
#include "net/outbox.h"

typedef struct Conn Conn;

/* `owner` is what conn_set_handler was given. No callback comes after on_close, none after the
 * handler was replaced, and after conn_finish only on_close. A callback may call any conn_ function,
 * conn_close too. */
typedef struct ConnHandler {
    void (*on_data)(void *owner, Str bytes); /* borrows */
    void (*on_end)(void *owner);             /* once: the peer sends no more; writing still works */
    void (*on_drain)(void *owner);           /* the queue became empty after it was not; may be NULL */
    void (*on_timer)(void *owner);           /* the deadline of conn_set_deadline passed */
    void (*on_close)(void *owner);           /* last; conn is gone when it returns */
} ConnHandler;

/* A connection on a socket that was accepted and does not block (takes it, also when it fails): NULL when
 * the limit is reached. Reads as soon as it has a handler and conn_read_start was called. */
Conn *conn_open(Net *net, int fd);

/* The connection's descriptor for another worker's conn_adopt; it closes here, which the peer does not notice.
 * -1 when it is closing or no descriptor is free. Nothing may be queued. */
int conn_give_fd(Conn *conn);

/* The same on any connected socket. */
Conn *conn_adopt(Net *net, int fd);

/* `handler` NULL: nobody is told anything until the next one comes. */
void conn_set_handler(Conn *conn, const ConnHandler *handler, void *owner);
void *conn_owner(const Conn *conn);
Net *conn_net(const Conn *conn);

/* Whether the handler, which must have an on_drain, wants it from now on. A new handler does. */
void conn_tell_drain(Conn *conn, bool is_wanted);

/* Reading may be stopped and started again: back-pressure. Both may be repeated. */
void conn_read_start(Conn *conn);
void conn_read_stop(Conn *conn);

/* Queues the bytes; net_flush writes them. Takes one reference, which it only lets go when !conn_is_taking. */
void conn_write(Conn *conn, Bytes *bytes);

/* The same without touching the count: for fan-out, whose caller retains for all receivers at once
 * afterwards, but before the turn's net_flush and before it returns to the loop. False when it
 * is not queued: no reference is owed then. */
bool conn_write_unretained(Conn *conn, Bytes *bytes);

/* The same if the peer keeps up and not much is queued yet, net->load_bytes; else it does nothing. */
bool conn_try_write_unretained(Conn *conn, Bytes *bytes);

/* Whether what is written now will be queued: not when closing, nor behind conn_write_end, after which nothing
 * more is. */
bool conn_is_taking(const Conn *conn);
void conn_write_end(Conn *conn);

/* What is queued stays so until conn_write_start, or conn_finish: more will come in a moment, and leaves with
 * it in one write. Both may be repeated. */
void conn_write_stop(Conn *conn);
void conn_write_start(Conn *conn);

/* The kernel ends the connection when what it sent is not acknowledged for so long: a peer that vanished
 * is noticed when something is sent to it. */
void conn_watch_peer(Conn *conn, uint32_t timeout_ms);

/* The event whose frame was queued last may become void while it waits. Nothing when the peer keeps up. */
void conn_note(Conn *conn, const Delivery *delivery);
void conn_supersede(Conn *conn,
                    const Delivery *delivery); /* drops what waits for the session and is of the key */
void conn_expire(Conn *conn);                  /* drops what is void by its time */

/* Frames in the queue, and their bytes, not yet taken by the kernel. */
uint32_t conn_waiting(const Conn *conn);
size_t conn_queued(const Conn *conn);

/* Whether the kernel did not take all, so that the rest waits for the peer, and how long something waits for it
 * already: at most half of the truth. */
bool conn_is_blocked(const Conn *conn);
uint32_t conn_age_ms(Conn *conn);

/* One deadline per Conn, monotonic milliseconds as net_now_ms; 0 takes it back. */
void conn_set_deadline(Conn *conn, uint64_t deadline_ms);

/* The same for one that is known to be later than the last: the timer is moved with it, and does not fire in
 * vain first. */
void conn_put_off_deadline(Conn *conn, uint64_t deadline_ms);

/* Nothing more will be written: sends what is queued, then FIN, discards what still comes until the
 * peer closes or limits.close_timeout_ms passed, then closes. May be repeated. */
void conn_finish(Conn *conn);

/* Closes now and drops the queue; on_close comes later from net_flush. May be repeated. */
void conn_close(Conn *conn);
bool conn_is_closing(const Conn *conn); /* after conn_finish or conn_close */

/* The peer's address; none when the peer is gone. */
Address conn_remote(const Conn *conn);

/* Visits the owners of all open Conns that have this handler; the visitor may close them. */
void conn_each(Net *net, const ConnHandler *handler, void (*visit)(void *owner, void *context),
               void *context);

/* conn_close for all. */
void conn_close_all(Net *net);

/* For Net. */
void conn_on_ready(void *conn, uint32_t events);
void conn_flush(Conn *conn); /* writes what is queued */
/* The same for the first `max` of them; frees those that are closed. */
void conn_flush_line(NetLine *line, uint32_t max);

#endif
