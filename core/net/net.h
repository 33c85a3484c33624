/* SPDX-License-Identifier: Apache-2.0
 *
 * net: what all connections of one worker share: the loop, the timer wheel, the read buffer, the
 * limits, and the list of connections with something to write. The worker owns one Net and turns it:
 * connections only queue bytes, net_flush writes them, so that a session gets one write per turn of
 * the loop, however many events came in. The process must ignore SIGPIPE. Worker's thread only.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/wheel.h"
#include "hub/subscriber.h"
#include "net/poller.h"
#include "net/ws.h"

/* All from the settings; sizes in bytes, times in milliseconds. */
typedef struct NetLimits {
    uint32_t header_bytes_max;   /* request line and headers together: 431 */
    uint32_t url_bytes_max;      /* 414 */
    uint32_t headers_max;        /* number of header lines: 431 */
    uint64_t body_bytes_max;     /* 413 */
    uint64_t request_memory_max; /* bodies in memory, of this worker: 503 */
    uint32_t header_timeout_ms;  /* from the first byte of a request to the end of its headers: 408 */
    uint32_t body_timeout_ms;    /* longest pause within a body: 408 */
    uint32_t body_rate_min;      /* bytes a second, averaged over the body after body_timeout_ms: 408 */
    uint32_t idle_timeout_ms;    /* before the first byte of a request: closed */
    uint32_t write_timeout_ms;   /* a peer that takes nothing of what waits for it: closed */
    uint32_t pipeline_bytes_max; /* bytes read ahead while a request is being answered */
    uint32_t connections_max;    /* of this worker; further ones are closed at accept */
    uint32_t queue_bytes_max;    /* waiting for one session: closed with 4002 */
    uint64_t
        queues_bytes_max; /* waiting for all sessions of all workers: the slowest ones are closed */
    uint32_t queue_age_max_ms; /* of what waits for one session: closed with 4002 */
    uint32_t ping_interval_ms;
    uint32_t ping_timeout_ms;
    uint32_t close_timeout_ms;   /* how long a closing handshake may take */
    uint32_t upgrade_timeout_ms; /* from polling to WebSocket */
    uint32_t polling_bytes_max;  /* body of a polling request, as clients are told: 413 */
    uint32_t connect_timeout_ms; /* of Socket.IO: without a namespace for so long */
    uint32_t attachments_max;    /* binaries of one packet */
    uint32_t namespaces_max;     /* that one connection is in */
    uint32_t json_depth_max;
    WsLimits ws; /* frames: 1009, 1008 */
} NetLimits;

enum { NET_READ_BUFFER_SIZE = 64 * 1024, NET_RELEASES = 256 };

/* References to one Bytes that are let go together. */
typedef struct NetRelease {
    Bytes *bytes; /* NULL: the place is free */
    uint32_t count;
} NetRelease;

struct Conn;

/* Conns with bytes to write in this turn, and those that are closed and not freed yet. */
typedef struct NetLine {
    struct Conn *first; /* NULL: none */
    struct Conn **end;  /* where the next one goes */
} NetLine;

/* What a room above does at the beginning of the next net_flush; lies in the thing that it is for. */
typedef struct NetDeferred {
    List link; /* in net->deferred, or alone */
    void (*run)(struct NetDeferred *deferred);
} NetDeferred;

/* Why an event was taken out of a slow session's queue again. */
typedef enum { NET_SUPERSEDED, NET_EXPIRED } NetVoid;

/* Told of one; may run in a fan-out, so it only notes. Borrows both. */
typedef void (*NetOnVoid)(void *context, Subscriber *subscriber, const Message *message, NetVoid why);

typedef struct Net {
    uv_loop_t *loop;
    uint64_t held_ms; /* the time that net_now_ms tells while the clock is held; 0: the loop's */
    NetLimits limits;
    Wheel wheel;
    Poller poller; /* watches the sockets of the Conns */
    List deferred; /* NetDeferreds of this turn */
    Pool pool;     /* where Conns, Sockets and Sessions lie */
    NetLine line;
    NetLine crowd;       /* those of a fan-out that stand in no line yet */
    uint32_t load_bytes; /* queued for one of the crowd it is enough for a write */
    bool is_laden;       /* one of the crowd has as much: net_flush writes to all */
    List conns;          /* all open Conns */
    List exchanges;      /* all that speak HTTP */
    uint32_t conn_count;
    bool is_draining;           /* set by exchange_drain: no connection is kept alive any more */
    uint64_t request_bytes;     /* bodies held in memory now */
    uint64_t queue_bytes;       /* that wait, on all Conns: the kernel did not take them */
    uint64_t queue_bytes_shown; /* the part of it that the metrics know */
    uint64_t queues_bytes;      /* what waits on all workers; 0 while nothing waits here */
    uint64_t sent_bytes;        /* taken by the kernel since the last net_flush */
    NetOnVoid on_void;          /* set by the owner; not NULL when sessions get events */
    void *void_context;
    WsPool ws_pool;
    char *read_buffer; /* NET_READ_BUFFER_SIZE; valid during one read callback */
    NetRelease releases[NET_RELEASES];
    uint8_t release_places[NET_RELEASES]; /* of those that are not free */
    uint32_t release_count;
    int64_t date_second; /* what `date` says */
    char date[32];       /* the Date header's value, renewed once a second */
} Net;

/* Copies limits. */
void net_init(Net *net, uv_loop_t *loop, const NetLimits *limits);

/* The clock is held: takes its time, until the next call. */
void net_hold(Net *net);

/* After the last Conn closed and the last Request was freed. */
void net_deinit(Net *net);

/* Does what was deferred, then writes what is queued on the connections in line, but not to the crowd. */
void net_answer(Net *net);

/* The same, and to the crowd: one write each. Of a large one it writes to a part and leaves net_is_dirty: what comes
 * meanwhile does not wait for the rest, and further events leave in the same write. */
void net_flush(Net *net);

/* Whether there is something for net_flush to do. */
bool net_is_dirty(const Net *net);

/* `run` comes once with the next net_flush, however often it is deferred; list_remove of the link ends that. */
void net_deferred_init(NetDeferred *deferred, void (*run)(NetDeferred *deferred));
void net_defer(Net *net, NetDeferred *deferred);

/* Whether `len` bytes more may wait for a session for which `waiting` do, and whose peer is slow: fewer may, the more
 * wait for all (limits.queues_bytes_max). Counts them until the next net_flush does. */
bool net_may_queue(Net *net, size_t waiting, size_t len);

/* When a ping goes out that is due at `due_ms`: a moment later, together with others, so that their answers
 * come together too and wake the loop once for many. */
uint64_t net_beat_ms(const Net *net, uint64_t due_ms);

/* The Date header's value for now. Borrows until the next call. */
const char *net_date(Net *net);

/* For net_release: the place is for these bytes from now on. */
void net_release_place(Net *net, NetRelease *place, Bytes *bytes);

/* Takes one reference and lets it go at the end of the next net_flush at the latest, together with
 * others of the same Bytes: fan-out would pay one atomic operation per delivery otherwise. Not
 * between conn_write_unretained and the retain that it owes. */
static inline void net_release(Net *net, Bytes *bytes) {
    /* By address all frames of a turn find their own place again for every connection; two that want one only
     * cost an atomic operation more. */
    uintptr_t address = (uintptr_t)bytes;
    NetRelease *place = &net->releases[(address >> 4 ^ address >> 9) % NET_RELEASES];
    if (place->bytes != bytes) net_release_place(net, place, bytes);
    place->count++;
}

static inline uint64_t net_now_ms(const Net *net) {
    return net->held_ms != 0 ? net->held_ms : uv_now(net->loop);
}

#endif
