/* SPDX-License-Identifier: Apache-2.0
 *
 * api_session: sessions in Lua. A proxy exists while Lua holds one; it is made anew when asked for and
 * remembers who the session was after its end.
 */
#ifndef API_API_SESSION_H
#define API_API_SESSION_H

#include <lua.h>

#include "api/api_request.h"

/* Upgrades the request and pushes the session, or nil, message, code. Its frames wait until the task of
 * the request has ended. */
int push_opened_session(lua_State *L, RequestBox *box, Str protocol);

/* Answers the request with an event stream; the rest as above. */
int push_opened_stream(lua_State *L, RequestBox *box, const Header *headers, size_t header_count);

/* For carry: pushes onto `to` the proxy of the session whose proxy lies at `index`; false when none does. */
bool carry_session(lua_State *from, int index, lua_State *to);

#endif
