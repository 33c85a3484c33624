/* SPDX-License-Identifier: Apache-2.0
 *
 * api_request: the proxy of an HTTP request, which is Lua's and which the task that answers keeps alive. The
 * Request is freed when the task ends.
 */
#ifndef API_API_REQUEST_H
#define API_API_REQUEST_H

#include <lua.h>

#include "net/request.h"
#include "script/task.h"

typedef struct RequestBox {
    const char *type; /* for check_typed */
    Request *request; /* NULL: the task is over */
    TaskOnEnd on_end; /* called with `opened` when the task ends */
    void *opened;     /* what the request became; NULL: it stayed one */
    bool was_answered;
} RequestBox;

/* Pushes a proxy (takes the request), the context of a task that ends with on_request_end. */
void push_request(lua_State *L, Request *request);

/* Whether it is as most requests are, so that Lua need not look at single headers: JSON in, JSON out, and nothing
 * asked for beside it. */
bool request_is_plain(const Request *request);

/* A TaskOnEnd: answers 500 if nobody answered, frees the request. */
void on_request_end(void *box);

/* The box of the proxy at `arg`; raises when the task that owned the request is over. */
RequestBox *check_request_box(lua_State *L, int arg);

#endif
