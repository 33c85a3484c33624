/* SPDX-License-Identifier: Apache-2.0
 *
 * api_request: the proxy of an HTTP request. A RequestBox has two owners, the proxy in Lua and the task
 * that answers; the second to let go frees it. The Request is freed when the task ends.
 */
#ifndef API_API_REQUEST_H
#define API_API_REQUEST_H

#include <lua.h>

#include "net/request.h"
#include "script/task.h"

typedef struct RequestBox {
    Request *request; /* NULL: the task is over */
    TaskOnEnd on_end; /* called with `opened` when the task ends */
    void *opened;     /* what the request became; NULL: it stayed one */
    bool has_proxy;
    bool was_answered;
} RequestBox;

/* Pushes a proxy (takes the request). The box belongs to the task too: on_request_end lets go of it. */
RequestBox *push_request(lua_State *L, Request *request);

/* A TaskOnEnd: answers 500 if nobody answered, frees the request. */
void on_request_end(void *box);

/* The box of the proxy at `arg`; raises when the task that owned the request is over. */
RequestBox *check_request_box(lua_State *L, int arg);

#endif
