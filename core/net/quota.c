/* SPDX-License-Identifier: Apache-2.0 */
#include "net/quota.h"

#include "base/metrics.h"

enum {
    BURST_FACTOR = 8, /* times queue_bytes_max may be queued before the peer is offered any of it */
    OVERDUE_MS = 1000
};

static bool has_room(Conn *conn, size_t len) {
    Net *net = conn_net(conn);
    size_t waiting = conn_queued(conn);
    if (conn_is_blocked(conn)) return net_may_queue(net, waiting, len);
    net->is_laden |= waiting + len > net->load_bytes;
    return waiting + len <= (size_t)net->limits.queue_bytes_max * BURST_FACTOR;
}

bool quota_allows(Conn *conn, size_t len) {
    if (conn_queued(conn) == 0) return true;
    bool is_full = !has_room(conn, len);
    if (is_full) {
        conn_expire(conn);
        is_full = conn_queued(conn) > 0 && !has_room(conn, len);
    }
    if (!is_full && conn_age_ms(conn) <= conn_net(conn)->limits.queue_age_max_ms) return true;
    metrics_add(METRIC_slow_readers_total, 1);
    metrics_add(METRIC_limit_hits_total, 1);
    return false;
}

uint64_t quota_overdue(Conn *conn) {
    if (!conn_is_blocked(conn) || conn_is_closing(conn)) return 0;
    return conn_age_ms(conn) >= OVERDUE_MS ? conn_queued(conn) : 0;
}

bool quota_deliver(Conn *conn, const Delivery *delivery) {
    const Message *message = delivery->message;
    if (conn_try_write_unretained(conn, delivery->frame)) return true;
    if (!conn_is_taking(conn)) return false;
    if (message->key != 0) conn_supersede(conn, delivery);
    if (!quota_allows(conn, delivery->frame->len)) return false;
    if (!conn_write_unretained(conn, delivery->frame)) return false;
    if (message->key != 0 || message->ends_ms != 0) conn_note(conn, delivery);
    return true;
}
