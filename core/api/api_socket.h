/* SPDX-License-Identifier: Apache-2.0
 *
 * api_socket: raw WebSockets of plugins, in Lua.
 */
#ifndef API_API_SOCKET_H
#define API_API_SOCKET_H

#include <lua.h>

#include "net/request.h"

/* Upgrades the request and pushes the socket, or nil, message, code. The value at `handler` comes back
 * with every callback. */
int push_opened_socket(lua_State *L, Request *request, int handler, Str protocol);

#endif
