/* SPDX-License-Identifier: Apache-2.0 */
#include "net/quota.h"

#include "base/metrics.h"

enum { BURST_FACTOR = 8 /* times queue_bytes_max may be queued within one turn of the loop */ };

static uint32_t now_of(const Conn *conn) {
    return (uint32_t)net_now_ms(conn_net(conn));
}

static void note_empty(QuotaMark *mark, const Conn *conn) {
    mark->filled_ms = mark->aged_ms = now_of(conn);
    mark->last = conn_sent(conn);
}

void quota_note(QuotaMark *mark, const Conn *conn) {
    if (conn_queued(conn) == 0) note_empty(mark, conn);
}

/* What was the last frame at aged_ms has left, or waits since then at least. */
static bool is_too_old(QuotaMark *mark, const Conn *conn) {
    bool has_left = (int32_t)(conn_sent(conn) - mark->last) > 0;
    if (!has_left) return now_of(conn) - mark->aged_ms > conn_net(conn)->limits.queue_age_max_ms;
    mark->aged_ms = now_of(conn);
    mark->last = conn_sent(conn) + conn_waiting(conn) - 1;
    return false;
}

/* What was queued within this turn of the loop the kernel was not offered yet: it says nothing about
 * the peer. */
static bool has_room(const QuotaMark *mark, const Conn *conn, size_t len) {
    const Net *net = conn_net(conn);
    size_t wanted = conn_queued(conn) + len;
    if (mark->filled_ms == now_of(conn)) return wanted <= net->limits.queue_bytes_max * BURST_FACTOR;
    return wanted <= net_queue_max(net);
}

bool quota_allows(QuotaMark *mark, Conn *conn, size_t len) {
    if (conn_queued(conn) == 0) {
        note_empty(mark, conn);
        return true;
    }
    bool is_full = !has_room(mark, conn, len);
    if (is_full) {
        conn_expire(conn);
        is_full = conn_queued(conn) > 0 && !has_room(mark, conn, len);
    }
    if (!is_full && !is_too_old(mark, conn)) return true;
    metrics_add(METRIC_slow_readers_total, 1);
    metrics_add(METRIC_limit_hits_total, 1);
    return false;
}

bool quota_deliver(QuotaMark *mark, Conn *conn, const Delivery *delivery) {
    const Message *message = delivery->message;
    if (message->key != 0) conn_supersede(conn, delivery);
    if (!quota_allows(mark, conn, delivery->frame->len)) return false;
    if (!conn_write_unretained(conn, delivery->frame)) return false;
    if (message->key != 0 || message->ends_ms != 0) conn_note(conn, delivery);
    return true;
}
