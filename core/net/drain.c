/* SPDX-License-Identifier: Apache-2.0 */
#include "net/drain.h"

#include "net/engines.h"
#include "net/exchange.h"
#include "net/session_sse.h"
#include "net/socket.h"

void drain_start(Net *net) {
    exchange_drain(net);
    socket_drain(net);
    session_sse_drain(net);
    engines_drain(net->engines);
}
