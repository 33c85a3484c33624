/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange: HTTP on one connection: requests in, answers out, one at a time and in order. Keep-alive,
 * pipelining (read ahead only to a limit), 100-continue, time limits (408), the refusals of http.c as
 * JSON:API error objects, HEAD. Opens on a Conn and frees itself when the Conn closes or when
 * exchange_give_conn hands the Conn to another protocol. Worker's thread only.
 */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "base/str.h"
#include "net/conn.h"
#include "net/request.h"

typedef struct Exchange Exchange;

typedef struct Reply {
    int status;            /* 200 to 599; Content-Length, Date and Connection are added */
    const Header *headers; /* names in any case; CR, LF and NUL in values become blanks */
    size_t header_count;
    Str lines;       /* further headers as they go out, each with its line end */
    Str body;        /* left out for HEAD, 204 and 304; borrows */
    bool must_close; /* closes the connection behind this answer */
} Reply;

/* Gives the request to `context`'s owner, who answers by exchange_reply, at once or later, exactly
 * once, and frees the request. Called when bytes come, or by net_flush when the answer to an earlier
 * request of a pipeline has left; never from within exchange_reply. */
typedef void (*ExchangeOnRequest)(void *context, Request *request);

void exchange_open(Conn *conn, ExchangeOnRequest on_request, void *context);

/* Answers the request and detaches it. Does nothing when its connection is gone. */
void exchange_reply(Request *request, const Reply *reply);

/* Ends HTTP on the connection of `request` without an answer and gives the Conn, without a handler:
 * who takes it sets one, or stops its reading, before the loop goes on. `rest` gets the bytes that came
 * behind the request. NULL when the connection is gone, or ended by the client. For protocol upgrades;
 * the new protocol writes its own 101. */
Conn *exchange_give_conn(Request *request, Buf *rest);

/* The worker stops: answers what runs with Connection: close, closes idle connections now. */
void exchange_drain(Net *net);

/* The standard phrase, "" for an unknown status. */
const char *exchange_phrase(int status);

#endif
