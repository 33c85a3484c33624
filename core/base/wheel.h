/* SPDX-License-Identifier: Apache-2.0
 *
 * wheel: many coarse timers, cheap to set and to move: a hashed wheel of lists. The wheel borrows
 * its timers; a timer is a link inside its object and is in the wheel at most once. Times are
 * monotonic milliseconds that the caller hands in, so specs turn the wheel by hand. A timer fires
 * at or after its deadline, at most one tick late. One thread.
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdint.h>

#include "base/list.h"

enum { WHEEL_TICK_MS = 16, WHEEL_SLOTS = 4096 };

typedef struct WheelTimer WheelTimer;
typedef void (*WheelOnFire)(WheelTimer *timer, uint64_t now_ms);

struct WheelTimer {
    List link;
    uint64_t deadline_ms; /* 0: not set */
    WheelOnFire on_fire;
};

typedef struct Wheel {
    List slots[WHEEL_SLOTS];
    uint64_t marks[WHEEL_SLOTS / 64]; /* a bit for each slot: not set when it is empty */
    uint64_t tick;                    /* the last tick that was turned */
    uint64_t from;                    /* no slot of an earlier tick to come is marked */
    size_t count;                     /* timers that are set */
} Wheel;

void wheel_init(Wheel *wheel, uint64_t now_ms);
void wheel_timer_init(WheelTimer *timer, WheelOnFire on_fire);

/* Sets or moves. A timer that is not set may be stopped; that does nothing. */
void wheel_start(Wheel *wheel, WheelTimer *timer, uint64_t deadline_ms);
void wheel_stop(Wheel *wheel, WheelTimer *timer);

/* Fires what is due at `now_ms`. on_fire may start, stop and free any timer, its own too. */
void wheel_turn(Wheel *wheel, uint64_t now_ms);

/* When it is to be turned at the latest; 0: no timer is set. Now and then there is nothing to fire then. */
uint64_t wheel_next_ms(Wheel *wheel);

/* For a clock that is held: the timer whose deadline comes first, of equal ones the one that was set first;
 * NULL: none is set. Looks at all of them. */
WheelTimer *wheel_first(const Wheel *wheel);

/* Fires a timer that is set, however early it is. */
void wheel_fire(Wheel *wheel, WheelTimer *timer, uint64_t now_ms);

#endif
