/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ticker.h"

#include "base/clock.h"
#include "base/ensure.h"

void ticker_open(Ticker *ticker, Net *net, void (*on_turned)(void *context), void *context) {
    ticker->net = net;
    ticker->due_ms = 0;
    ticker->on_turned = on_turned;
    ticker->context = context;
    ensure(uv_timer_init(net->loop, &ticker->timer) == 0);
    ticker->timer.data = ticker;
}

void ticker_close(Ticker *ticker) {
    uv_close((uv_handle_t *)&ticker->timer, NULL);
}

static void on_due(uv_timer_t *timer) {
    Ticker *ticker = timer->data;
    ticker->due_ms = 0;
    wheel_turn(&ticker->net->wheel, net_now_ms(ticker->net));
    ticker->on_turned(ticker->context);
}

/* One that is due later stays: to move it with each turn of the loop would put it off for ever. */
void ticker_start(Ticker *ticker, uint64_t other_ms) {
    Net *net = ticker->net;
    if (net->held_ms != 0) return;
    uint64_t due_ms = clock_earlier(wheel_next_ms(&net->wheel), other_ms);
    if (due_ms == 0 || (ticker->due_ms != 0 && ticker->due_ms <= due_ms)) return;
    ticker->due_ms = due_ms;
    uint64_t now_ms = net_now_ms(net);
    uv_timer_start(&ticker->timer, on_due, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}
