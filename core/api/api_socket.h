/* SPDX-License-Identifier: Apache-2.0
 *
 * api_socket: raw WebSockets of plugins, and raw connections of Engine.IO, in Lua.
 */
#ifndef API_API_SOCKET_H
#define API_API_SOCKET_H

#include <lua.h>

#include "api/api_request.h"
#include "api/states.h"

/* Upgrades the request and pushes the socket, or nil, message, code. The value at `handler` comes back
 * with every callback; messages wait until the request's task has ended. */
int push_opened_socket(lua_State *L, RequestBox *box, int handler, Str protocol);

/* The same over Engine.IO: with a WebSocket; or with polling, and then it pushes behind the socket what the
 * caller answers the request with. */
int push_opened_engine_socket(lua_State *L, RequestBox *box, int handler);
int push_opened_engine(lua_State *L, RequestBox *box, int handler);

/* Moves the sockets whose handlers rest to the current state. */
void move_sockets(States *states);

/* For carry: pushes onto `to` the proxy of the socket whose proxy lies at `index`; false when none does. */
bool carry_socket(lua_State *from, int index, lua_State *to);

#endif
