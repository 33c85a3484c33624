/* SPDX-License-Identifier: Apache-2.0 */
#include "net/drain.h"

#include "net/exchange.h"
#include "net/session_sse.h"
#include "net/socket.h"

enum { STEP_MIN = 16 };

uint32_t drain_share(const Net *net, uint32_t count, uint64_t until_ms) {
    uint64_t now_ms = net_now_ms(net);
    uint64_t steps = until_ms > now_ms ? (until_ms - now_ms) / WHEEL_TICK_MS + 1 : 1;
    uint32_t share = (uint32_t)(count / steps) + 1;
    return share > STEP_MIN ? share : STEP_MIN;
}

void drain_start(Net *net) {
    exchange_drain(net);
}

void drain_step(Net *net, uint64_t until_ms) {
    uint32_t left = drain_share(net, net->conn_count, until_ms);
    socket_drain(net, &left);
    session_sse_drain(net, &left);
}
