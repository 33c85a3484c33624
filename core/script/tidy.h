/* SPDX-License-Identifier: Apache-2.0
 *
 * tidy: collects what a peak has left in a Lua state. Lua collects while it allocates, so a state that has
 * nothing to do any more would keep its garbage, and all that hangs on it. A collection goes in steps of about
 * a millisecond. The thread of the script.
 */
#ifndef SCRIPT_TIDY_H
#define SCRIPT_TIDY_H

#include <stdint.h>

#include "script/script.h"

/* To be called now and then, outside of tasks. Gives when it wants to be called again at the latest; 0: there
 * is nothing to collect. Times are monotonic. */
uint64_t tidy_turn(Script *script, uint64_t now_ms);

#endif
