/* SPDX-License-Identifier: Apache-2.0
 *
 * ticker: turns the wheel of a Net when something in it is due, and wakes the loop for nothing else. To be
 * started again each time before the loop waits, whatever has been put into the wheel meanwhile. While the
 * clock is held it does nothing: whoever holds it fires the timers. Worker's thread only.
 */
#ifndef NET_TICKER_H
#define NET_TICKER_H

#include "net/net.h"

typedef struct Ticker {
    uv_timer_t timer;
    Net *net;
    uint64_t due_ms; /* when it wakes the loop; 0: not at all */
    void (*on_turned)(void *context);
    void *context;
} Ticker;

/* `on_turned` comes each time that the wheel has been turned. Borrows all. */
void ticker_open(Ticker *ticker, Net *net, void (*on_turned)(void *context), void *context);
void ticker_close(Ticker *ticker); /* its memory stays in use until the loop has run */

/* Wakes the loop when the wheel is due, or at `other_ms` if that comes first; 0: for the wheel only. It may
 * wake it earlier, as it was asked to before. */
void ticker_start(Ticker *ticker, uint64_t other_ms);

#endif
