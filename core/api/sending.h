/* SPDX-License-Identifier: Apache-2.0
 *
 * sending: an event of Lua to one session, in the form of its transport. Script's thread only.
 */
#ifndef API_SENDING_H
#define API_SENDING_H

#include <lua.h>

#include "net/session.h"

typedef struct SendingOptions {
    Str ack;      /* what the client's frame asked to be answered with, raw JSON */
    Str id;       /* a cursor */
    uint32_t ask; /* the client shall acknowledge it under this number; 0: not */
} SendingOptions;

/* Whether the event at `index` has binaries and the session's transport carries none. */
bool sending_is_impossible(lua_State *L, const Session *session, int index);

/* False when the session is closed, or becomes so because its queue is full. */
bool sending_send(lua_State *L, Session *session, int index, const SendingOptions *options);

#endif
