/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wheel.h"

#include <string.h>

void wheel_init(Wheel *wheel, uint64_t now_ms) {
    for (size_t i = 0; i < WHEEL_SLOTS; i++) list_init(&wheel->slots[i]);
    memset(wheel->marks, 0, sizeof wheel->marks);
    wheel->tick = wheel->from = now_ms / WHEEL_TICK_MS;
    wheel->count = 0;
}

void wheel_timer_init(WheelTimer *timer, WheelOnFire on_fire) {
    list_init(&timer->link);
    timer->deadline_ms = 0;
    timer->on_fire = on_fire;
}

static void add(Wheel *wheel, size_t slot, WheelTimer *timer) {
    list_add(&wheel->slots[slot], &timer->link);
    wheel->marks[slot / 64] |= UINT64_C(1) << slot % 64;
    uint64_t next = wheel->tick + 1;
    uint64_t tick = next + (slot - next) % WHEEL_SLOTS;
    if (tick < wheel->from) wheel->from = tick;
}

void wheel_start(Wheel *wheel, WheelTimer *timer, uint64_t deadline_ms) {
    wheel_stop(wheel, timer);
    uint64_t tick = (deadline_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
    if (tick <= wheel->tick) tick = wheel->tick + 1;
    timer->deadline_ms = deadline_ms ? deadline_ms : 1;
    add(wheel, tick % WHEEL_SLOTS, timer);
    wheel->count++;
}

void wheel_stop(Wheel *wheel, WheelTimer *timer) {
    if (timer->deadline_ms == 0) return;
    list_remove(&timer->link);
    timer->deadline_ms = 0;
    wheel->count--;
}

void wheel_fire(Wheel *wheel, WheelTimer *timer, uint64_t now_ms) {
    wheel_stop(wheel, timer);
    timer->on_fire(timer, now_ms);
}

WheelTimer *wheel_first(const Wheel *wheel) {
    WheelTimer *first = NULL;
    size_t left = wheel->count;
    for (size_t i = 0; left > 0 && i < WHEEL_SLOTS; i++) {
        const List *slot = &wheel->slots[i];
        for (List *at = slot->next; at != slot; at = at->next, left--) {
            WheelTimer *timer = list_entry(at, WheelTimer, link);
            if (first == NULL || timer->deadline_ms < first->deadline_ms) first = timer;
        }
    }
    return first;
}

/* The next tick whose slot is marked, at most a round from now; 0: there is none. */
static uint64_t next_tick(Wheel *wheel) {
    uint64_t next = wheel->tick + 1;
    uint64_t end = next + WHEEL_SLOTS;
    for (uint64_t tick = wheel->from > next ? wheel->from : next; tick < end; tick += 64 - tick % 64) {
        uint64_t marks = wheel->marks[tick % WHEEL_SLOTS / 64] >> tick % 64;
        if (marks != 0) return wheel->from = tick + (uint64_t)__builtin_ctzll(marks);
    }
    wheel->from = end;
    return 0;
}

uint64_t wheel_next_ms(Wheel *wheel) {
    return wheel->count > 0 ? next_tick(wheel) * WHEEL_TICK_MS : 0;
}

/* Takes the slot's timers into a list of its own first: on_fire may change any slot. What is due
 * in a later round goes back. */
static void turn_slot(Wheel *wheel, size_t slot, uint64_t now_ms) {
    List due;
    list_init(&due);
    list_take_all(&wheel->slots[slot], &due);
    wheel->marks[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    while (!list_is_empty(&due)) {
        WheelTimer *timer = list_entry(due.next, WheelTimer, link);
        list_remove(&timer->link);
        __builtin_prefetch(due.next->next);
        if (timer->deadline_ms > now_ms) {
            add(wheel, slot, timer);
            continue;
        }
        timer->deadline_ms = 0;
        wheel->count--;
        timer->on_fire(timer, now_ms);
    }
}

void wheel_turn(Wheel *wheel, uint64_t now_ms) {
    uint64_t target = now_ms / WHEEL_TICK_MS;
    /* After a long pause one full round visits every slot once; more would find nothing new. */
    if (target > wheel->tick + WHEEL_SLOTS) wheel->tick = target - WHEEL_SLOTS;
    for (uint64_t tick = next_tick(wheel); tick != 0 && tick <= target; tick = next_tick(wheel)) {
        wheel->tick = tick;
        turn_slot(wheel, tick % WHEEL_SLOTS, now_ms);
    }
    if (wheel->tick < target) wheel->tick = target;
}
