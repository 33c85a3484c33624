/* SPDX-License-Identifier: Apache-2.0
 *
 * api_greeting: what every session is told first. Lua says once how it looks, a template of raw JSON with
 * places in it; here they are filled with what is known of the session, which is less than half the work of
 * making it of Lua's values. A userdata.
 */
#ifndef API_API_GREETING_H
#define API_API_GREETING_H

#include <lua.h>

#include "hub/names.h"
#include "net/session.h"

typedef struct Greeting Greeting;

typedef struct GreetingFacts {
    Session *session;
    const Names *channels; /* of the session's user */
    double expires_s;      /* of its token, since 1970; 0: never */
    Str ack;               /* raw JSON, or STR_NONE */
    Str id;                /* behind which its events go on, or STR_NONE */
} GreetingFacts;

/* The greeting at `arg`; NULL for nil: nothing is to be told. */
const Greeting *opt_greeting(lua_State *L, int arg);

/* Nothing happens when the session is closed. */
void greeting_send(const Greeting *greeting, const GreetingFacts *facts);

#endif
