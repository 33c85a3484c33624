/* SPDX-License-Identifier: Apache-2.0 */
#include "api/asking.h"

#include "api/api.h"
#include "api/api_event.h"
#include "api/lua_args.h"
#include "api/sending.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "script/task.h"

enum { ASKS_MAX = 64 };

typedef struct Asking {
    struct Asking *next; /* of the same lane */
    Lane *lane;          /* which may have lost its engine by the end */
    Net *net;
    Wait *wait;
    WheelTimer timer;
    uint32_t number;
} Asking;

static int push_answer(lua_State *L, void *data) {
    push_event_of_packet(L, data);
    return 1;
}

static int push_timeout(lua_State *L, void *data) {
    (void)data;
    lua_pushnil(L);
    lua_pushliteral(L, "the client did not acknowledge the event in time");
    lua_pushliteral(L, "TIMEOUT");
    return 3;
}

static int push_over(lua_State *L, void *data) {
    (void)data;
    return push_failure(L, ERR_CLOSED, "closed");
}

static Asking **find(Lane *lane, int64_t number) {
    Asking **at = &lane->asks;
    while (*at != NULL && (*at)->number != number) at = &(*at)->next;
    return at;
}

/* Takes it out and wakes who waits. */
static void finish(Asking **at, TaskPush push, void *data) {
    Asking *asking = *at;
    Wait *wait = asking->wait;
    *at = asking->next;
    wheel_stop(&asking->net->wheel, &asking->timer);
    mem_free(asking);
    task_wake(wait, push, data);
}

static void on_timeout(WheelTimer *timer, uint64_t now_ms) {
    (void)now_ms;
    const Asking *asking = list_entry(timer, const Asking, timer);
    finish(find(asking->lane, asking->number), push_timeout, NULL);
}

static bool is_full(const Lane *lane) {
    unsigned count = 0;
    for (const Asking *at = lane->asks; at != NULL; at = at->next) count++;
    return count >= ASKS_MAX;
}

int asking_ask(lua_State *L, Session *session, uint32_t timeout_ms) {
    Lane *lane = lane_of(session);
    task_check(L);
    if (is_full(lane)) {
        metrics_add(METRIC_limit_hits_total, 1);
        return push_failure(L, ERR_LIMIT, "too many events wait for an acknowledgement of this client");
    }
    uint32_t number = ++lane->last_ask;
    SendingOptions options = {.ask = number};
    if (!sending_send(L, session, 2, &options)) return push_failure(L, ERR_CLOSED, "closed");
    Net *net = engine_net(lane->engine);
    Asking *asking = mem_zalloc(sizeof *asking);
    *asking =
        (Asking){.next = lane->asks, .lane = lane, .net = net, .number = number, .wait = task_arm(L)};
    lane->asks = asking;
    wheel_timer_init(&asking->timer, on_timeout);
    wheel_start(&net->wheel, &asking->timer, clock_deadline_ms(timeout_ms));
    return task_yield(L);
}

void asking_take(Session *session, const SioPacket *packet) {
    Asking **at = find(lane_of(session), packet->ack);
    if (*at != NULL) finish(at, push_answer, (void *)(uintptr_t)packet);
}

void asking_cancel(Session *session) {
    Lane *lane = lane_of(session);
    while (lane != NULL && lane->asks != NULL) finish(&lane->asks, push_over, NULL);
}
