/* SPDX-License-Identifier: Apache-2.0
 *
 * chunks: modules compiled once, for a process that makes many states one after the other: `chatty test`
 * has one per test, a server one per worker. A file that changes meanwhile is not read again. One thread, until
 * they are stopped; what the states require later is read from its file, by any thread.
 */
#ifndef SCRIPT_CHUNKS_H
#define SCRIPT_CHUNKS_H

#include <lua.h>

/* States that are made from now on take their modules from here, and leave them here. */
void chunks_start(void);
void chunks_stop(void); /* forgets them all */

/* Makes `require` of the state do so, if chunks_start was called. */
void chunks_open(lua_State *L);

#endif
