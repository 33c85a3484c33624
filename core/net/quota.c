/* SPDX-License-Identifier: Apache-2.0 */
#include "net/quota.h"

#include "base/metrics.h"

enum { BURST_FACTOR = 8 /* times queue_bytes_max may be queued within one turn of the loop */ };

static uint32_t now_of(const Conn *conn) {
    return (uint32_t)net_now_ms(conn_net(conn));
}

void quota_note(QuotaMark *mark, const Conn *conn) {
    if (conn_queued(conn) == 0) *mark = now_of(conn);
}

/* What was queued within this turn of the loop the kernel was not offered yet: it says nothing about
 * the peer. */
bool quota_allows(QuotaMark *mark, const Conn *conn, size_t len) {
    size_t queued = conn_queued(conn);
    if (queued == 0) {
        *mark = now_of(conn);
        return true;
    }
    size_t max = conn_net(conn)->limits.queue_bytes_max;
    if (queued + len <= max) return true;
    if (*mark == now_of(conn) && queued + len <= max * BURST_FACTOR) return true;
    metrics_add(METRIC_slow_readers_total, 1);
    metrics_add(METRIC_limit_hits_total, 1);
    return false;
}
