/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a timer and not a count hook all along: with one armed, Lua calls a function for every instruction,
 * which doubles what a handler costs. The signal handler does what lua_sethook is made for: it arms the
 * hook, asynchronously, on the coroutine that runs. It comes on the thread whose time it is, so what it
 * reads is never half written; should it miss a coroutine that is just being entered, the next tick finds
 * that.
 *
 * The error where Lua cannot yield is that of lack of memory: the one kind for which Lua calls no message
 * handler. A handler of xpcall would run while hooks are off.
 */
#include "script/budget.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "script/heap.h"
#include "script/script.h"

enum {
    TICK_MS = 10,
    CLOSE_TICKS = 3,        /* for the to-be-closed variables of a run that was stopped */
    OURS_FACTOR = 10,       /* our own code gets so many times the budget of a plugin */
    DEFER_TICKS = 20,       /* so long our own functions may take to come to an end */
    DEFER_INSTRUCTIONS = 8, /* between two looks whether they have */
    MUCH_SHARE = 16         /* of the memory: who takes that in one run is to blame that it is full */
};

static _Thread_local Budget *volatile innermost;
static _Thread_local bool has_timer;
static _Thread_local timer_t timer;

static void on_over(lua_State *L, lua_Debug *ar);

static void arm(Budget *self) {
    lua_sethook(self->L, on_over, LUA_MASKCOUNT, 1);
}

static bool is_over(const Budget *self) {
    return self->is_late || self->is_full;
}

static bool is_spent(const Budget *self) {
    return self->ticks_max > 0 && self->ticks >= self->ticks_max;
}

/* The first run of C is over: the plugin that it called first is what takes so long. Then there is some
 * time to clean up. */
static void end_outermost(Budget *root, Budget *inner) {
    Budget *called = inner;
    while (called->outer != root) called = called->outer;
    called->is_late = 1;
    root->ticks_max += DEFER_TICKS;
}

static void on_tick(int number) {
    (void)number;
    Budget *inner = innermost;
    if (inner == NULL) return;
    inner->ticks++;
    Budget *root = inner;
    while (root->outer != NULL) root = root->outer;
    if (root != inner) {
        root->ticks++;
        if (is_spent(root)) end_outermost(root, inner);
    }
    if (is_spent(inner)) inner->is_late = 1;
    if (is_over(inner)) arm(inner);
}

static void start_timer(void) {
    has_timer = true;
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    sigaction(SIGVTALRM, &action, NULL);
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGVTALRM);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGVTALRM};
    event._sigev_un._tid = gettid();
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000};
    const struct itimerspec ticks = {tick, tick};
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0 ||
        timer_settime(timer, 0, &ticks, NULL) != 0) {
        log_line(LOG_WARN, "no timer for CPU time (%s): plugins that loop will not be stopped",
                 strerror(errno));
    }
}

void budget_leave_thread(void) {
    if (has_timer) timer_delete(timer);
    has_timer = false;
}

static uint32_t ticks_of(const Script *script, BudgetKind kind) {
    uint32_t ms = script->limits.budget_ms;
    if (kind == BUDGET_CLOSE) return CLOSE_TICKS + 1;
    if (kind == BUDGET_OURS) ms *= OURS_FACTOR;
    if (kind == BUDGET_SETUP) ms = script->limits.setup_budget_ms;
    /* One more: the first tick may come at once. */
    return kind == BUDGET_ENDLESS || ms == 0 ? 0 : (ms + TICK_MS - 1) / TICK_MS + 1;
}

void budget_start(Budget *self, Script *script, lua_State *L, BudgetKind kind) {
    if (!has_timer) start_timer();
    self->outer = innermost;
    self->script = script;
    self->L = self->first = L;
    self->is_seen = false;
    self->kind = kind;
    self->memory_before = script->memory_used;
    self->ticks = 0;
    self->ticks_max = ticks_of(script, kind);
    self->is_late = self->is_full = 0;
    self->fault = BUDGET_GOOD;
    self->close_ticks = 0;
    self->place[0] = '\0';
    atomic_signal_fence(memory_order_release);
    innermost = self;
}

void budget_stop(Budget *self) {
    innermost = self->outer;
    if (is_over(self) || self->fault != BUDGET_GOOD) lua_sethook(self->L, NULL, 0, 0);
    if (innermost != NULL && is_over(innermost)) arm(innermost);
}

Budget *budget_get(void) {
    return innermost;
}

bool budget_is_plugin(const Budget *self) {
    return self->kind != BUDGET_OURS && self->kind != BUDGET_ENDLESS;
}

static void note_place(Budget *self, lua_State *L) {
    luaL_where(L, 0);
    if (lua_tostring(L, -1)[0] == '\0') {
        lua_pop(L, 1);
        luaL_where(L, 1);
    }
    snprintf(self->place, sizeof self->place, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
}

static BudgetFault fault_of_memory(const Budget *self) {
    Script *script = self->script;
    if (script->memory_used < self->memory_before + script->limits.memory_max / MUCH_SHARE) {
        return BUDGET_FULL;
    }
    script->full_at = 0; /* what it took is garbage in a moment */
    return BUDGET_MEMORY;
}

/* Begins to stop the run, at the function on top of L. */
static void end(Budget *self, lua_State *L) {
    if (self->fault != BUDGET_GOOD) return;
    self->fault = self->is_late ? BUDGET_TIME : fault_of_memory(self);
    note_place(self, L);
}

static void raise_stop(lua_State *L) {
    lua_pushliteral(L, "not enough memory");
    lua_error(L);
}

/* Our own functions come to their end first, so that none leaves things half done. */
static bool must_defer(const Budget *self, lua_State *L, lua_Debug *ar) {
    if (!budget_is_plugin(self) || self->fault != BUDGET_GOOD) return false;
    if (self->ticks_max > 0 && self->ticks >= self->ticks_max + DEFER_TICKS) return false;
    lua_getinfo(L, "S", ar);
    return script_is_ours(self->script, ar->source);
}

static void on_over(lua_State *L, lua_Debug *ar) {
    Budget *self = innermost;
    lua_sethook(L, NULL, 0, 0);
    if (self == NULL || self->L != L || !(is_over(self) || self->fault != BUDGET_GOOD)) return;
    if (self->is_full && !self->is_late && self->fault == BUDGET_GOOD && heap_collect(L)) {
        self->is_full = 0;
        if (self->memory_before > self->script->memory_used) {
            self->memory_before = self->script->memory_used;
        }
        return;
    }
    if (must_defer(self, L, ar)) {
        lua_sethook(L, on_over, LUA_MASKCOUNT, DEFER_INSTRUCTIONS);
        return;
    }
    end(self, L);
    if (lua_isyieldable(L)) {
        lua_yield(L, 0);
        return;
    }
    lua_sethook(L, on_over, LUA_MASKCOUNT, 1);
    raise_stop(L);
}

void budget_check(lua_State *L) {
    Budget *self = innermost;
    if (self == NULL || !self->is_late || self->L != L) return;
    end(self, L);
    arm(self);
    raise_stop(L);
}

int budget_pass_on(lua_State *L) {
    if (lua_isyieldable(L)) return lua_yield(L, 0);
    lua_sethook(L, on_over, LUA_MASKCOUNT, 1);
    raise_stop(L);
    return 0;
}

/* However many coroutines a run has within each other: the time is for all of them. */
static void share_close_time(Budget *self) {
    Budget *outer = self->outer;
    if (outer == NULL || outer->fault == BUDGET_GOOD) return;
    self->ticks_max = outer->close_ticks < CLOSE_TICKS ? CLOSE_TICKS - outer->close_ticks + 1 : 1;
}

void budget_close(Script *script, lua_State *co) {
    lua_sethook(co, NULL, 0, 0);
    Budget self;
    budget_start(&self, script, co, BUDGET_CLOSE);
    share_close_time(&self);
    lua_resetthread(co);
    if (self.outer != NULL) self.outer->close_ticks += self.ticks;
    budget_stop(&self);
}

void budget_fill(void) {
    Budget *self = innermost;
    if (self == NULL || !budget_is_plugin(self) || is_over(self)) return;
    self->is_full = 1;
    arm(self);
}
