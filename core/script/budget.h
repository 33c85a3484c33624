/* SPDX-License-Identifier: Apache-2.0
 *
 * budget: how long Lua may run before it lets others run, and how much memory plugins may take. A Budget
 * is one run: from where C enters Lua to the next wait or the end. It lies on the C stack of whoever
 * enters. Budgets nest; the innermost is the one that is stopped, but its time counts for the outermost
 * too.
 *
 * Nothing is counted while Lua runs. A timer of the thread's CPU time ticks; a run that has had its
 * ticks gets a hook, and stops at its next instruction: by a yield that no pcall can catch, or, where Lua
 * cannot yield, by an error that is raised anew at every instruction until it can, or until the run is
 * left. C functions that may loop for long ask budget_check.
 *
 * A Script's thread only; the timer is each thread's own.
 */
#ifndef SCRIPT_BUDGET_H
#define SCRIPT_BUDGET_H

#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct Script;

typedef enum {
    BUDGET_OURS,   /* our own code: much time, and the reserve of memory */
    BUDGET_PLUGIN, /* a plugin's handler */
    BUDGET_SETUP,  /* a plugin's file and its setup */
    BUDGET_CLOSE,  /* the to-be-closed variables of a run that was stopped or failed */
    BUDGET_ENDLESS /* our own at the start, in tools */
} BudgetKind;

typedef enum {
    BUDGET_GOOD,
    BUDGET_TIME,
    BUDGET_MEMORY, /* it took much of the memory itself */
    BUDGET_FULL    /* the memory was full before */
} BudgetFault;

enum { BUDGET_PLACE_MAX = 200 };

typedef struct Budget {
    struct Budget *outer; /* NULL: the first that C entered */
    struct Script *script;
    lua_State *volatile L; /* the coroutine that runs now */
    lua_State *first;      /* the one that it began on */
    bool is_seen;          /* somebody has got hold of that one */
    BudgetKind kind;
    size_t memory_before; /* bytes that the state had when it began */
    volatile uint32_t ticks;
    volatile uint32_t ticks_max;   /* 0: without end */
    volatile sig_atomic_t is_late; /* to be stopped at the next instruction, for its time */
    volatile sig_atomic_t is_full; /* or for its memory */
    BudgetFault fault;             /* why it is being stopped */
    uint32_t close_ticks;          /* that closing coroutines of it took */
    char place[BUDGET_PLACE_MAX];  /* "plugins/shop.lua:12: ", where it was stopped */
} Budget;

/* Begins a run on L; budget_stop ends it, in reverse order. Borrows the Budget until then. */
void budget_start(Budget *self, struct Script *script, lua_State *L, BudgetKind kind);
void budget_stop(Budget *self);

/* The innermost run of the calling thread, or NULL. */
Budget *budget_get(void);

/* Whether a plugin's code runs. */
bool budget_is_plugin(const Budget *self);

/* Raises when the innermost run is over. For C functions that may loop for long: cheap. */
void budget_check(lua_State *L);

/* The run was stopped within a coroutine that L resumed: stops L too. Does not return, or
 * `return budget_pass_on(L);` */
int budget_pass_on(lua_State *L);

/* Closes a coroutine whose run failed or was stopped: its to-be-closed variables get a little time.
 * Never raises. */
void budget_close(struct Script *script, lua_State *co);

/* Memory is full: the innermost run is stopped, if a collection does not help. */
void budget_fill(void);

/* Ends the calling thread's timer, before the thread ends. */
void budget_leave_thread(void);

#endif
