/* SPDX-License-Identifier: Apache-2.0
 *
 * cage: the call of a plugin's function: in a coroutine of its own, so that a run that is stopped
 * (budget.h) ends there, whatever the plugin has around it, and its caller goes on. What is called may
 * wait, if the caller may.
 */
#ifndef SCRIPT_CAGE_H
#define SCRIPT_CAGE_H

#include <lua.h>

#include "script/budget.h"

/* stack: function, arguments. `return cage_call(L, kind);` gives true and the results; or
 *     false, "error", what was raised, traceback
 *     false, what happened, where ("plugins/shop.lua:12: " or ""), traceback
 * "time", "memory": it took too much, and was stopped; "full": it was stopped since there was no memory left;
 * "value": there was none for a string or table of that size; "yield": it yielded without waiting for
 * anything. The traceback has the plugin's functions only. */
int cage_call(lua_State *L, BudgetKind kind);

#endif
