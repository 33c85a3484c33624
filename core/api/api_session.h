/* SPDX-License-Identifier: Apache-2.0
 *
 * api_session: sessions in Lua. A proxy exists while Lua holds one; it is made anew when asked for and
 * remembers who the session was after its end.
 */
#ifndef API_API_SESSION_H
#define API_API_SESSION_H

#include <lua.h>

#include "net/session.h"

void push_session(lua_State *L, Session *session);

/* The proxies of all states know it no more, and keep what it was. */
void end_session(Session *session);

/* The same; pushes one of them. */
void push_ended_session(lua_State *L, Session *session);

/* For carry: pushes onto `to` the proxy of the session whose proxy lies at `index`; false when none does. */
bool carry_session(lua_State *from, int index, lua_State *to);

#endif
