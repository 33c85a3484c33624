/* SPDX-License-Identifier: Apache-2.0
 *
 * arrival: how sessions begin, and what comes from their clients, as tasks of the Lua state that is the
 * current one then. Script's thread only.
 */
#ifndef API_ARRIVAL_H
#define API_ARRIVAL_H

#include <lua.h>

#include "api/api_request.h"
#include "socketio/mux.h"

/* Upgrades the request and pushes the session, or nil, message, code. Its frames wait until the task of
 * the request has ended. */
int arrival_push_session(lua_State *L, RequestBox *box, Str protocol);

/* Answers the request with an event stream; the rest as above. */
int arrival_push_stream(lua_State *L, RequestBox *box, const Header *headers, size_t header_count);

/* What becomes of a client of Socket.IO who wants into a namespace; the context is the States. */
extern const MuxHandler arrival_mux_handler;

#endif
