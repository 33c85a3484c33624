/* SPDX-License-Identifier: Apache-2.0
 *
 * join: a session's way into the registry and out of the roster: it asks the roster for the channels,
 * becomes live, and gets what it missed before anything new. A session that closes while it is joining
 * stays pinned until the roster's answer came, and is then taken out of the roster again.
 */
#ifndef API_JOIN_H
#define API_JOIN_H

#include "api/api.h"
#include "net/session.h"

/* Waits in Lua: the end of a binding. The arguments behind the session are the id of the last event that the client
 * had, the greeting, when its token expires, and the ack of the greeting; each may be nil. Gives true, the id behind
 * which the session's events go on (nil when nothing here is kept), and if not all that was missed can be brought, the
 * reason; or nil, message, CODE. */
int join_ask(lua_State *L, Session *session);

/* Takes a session that the roster counts out of it again. */
void join_leave(const Api *api, Session *session);

/* What `chatty why` tells later of a session that was live. */
void join_record_end(const Api *api, const Session *session, uint16_t code, Str reason);

/* The secret, or the token, may have become void after the token was checked, while the session was not
 * in the registry yet. */
void join_check_token(const Api *api, Session *session);

#endif
