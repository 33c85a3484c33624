/* SPDX-License-Identifier: Apache-2.0
 *
 * memo: the table that Lua keeps per session, by the session's id. Its field `data` goes along when a new
 * state takes the place of an old one: at the moment the new one first asks for it, so what an old
 * handler of the session wrote before is in it, or at the latest with the old state's end. Worker's thread.
 */
#ifndef API_MEMO_H
#define API_MEMO_H

#include "api/api.h"

/* Pushes the table; an empty one when there is none, which stays only if `is_kept`. */
void memo_push(lua_State *L, const char *id, bool is_kept);

/* The session is over: drops its tables in all states of the worker. */
void memo_forget(Api *api, const char *id);

/* `old` ends: what nobody asked for goes to `next`. */
void memo_hand_over(Api *old, Api *next);

/* Makes room in a new state. */
void memo_open(lua_State *L);

#endif
