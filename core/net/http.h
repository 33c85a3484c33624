/* SPDX-License-Identifier: Apache-2.0
 *
 * http: HTTP/1.0 and 1.1 requests from bytes (RFC 9110, 9112), on llhttp and stricter: what could be
 * read in two ways is refused. A state machine without I/O: fed bytes, it gives Requests, faults and
 * wishes. How the bytes are cut makes no difference. One parser per connection. Any one thread.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/err.h"
#include "base/str.h"
#include "net/request.h"

typedef struct Http Http;

typedef struct HttpLimits {
    uint32_t header_bytes_max; /* request line and headers; trailers and chunk lines likewise */
    uint32_t url_bytes_max;
    uint32_t headers_max;
    uint64_t body_bytes_max;
} HttpLimits;

/* Why a request is refused before anybody routed it. `code` and `detail` are static and go into the
 * error object. After a fault the parser takes nothing more. */
typedef struct HttpFault {
    int status; /* 400, 408, 413, 414, 417, 431, 501, 503, 505; 0: none */
    const char *code;
    const char *detail;
} HttpFault;

typedef enum {
    FED_MORE,    /* all bytes taken, the request is not complete */
    FED_REQUEST, /* a request is complete: http_take_request; bytes may be left over */
    FED_FAULT    /* http_fault tells */
} HttpFed;

/* Called when the headers are complete and before any body. The Request stays the parser's until
 * http_take_request. */
typedef struct HttpHandler {
    /* true: go on; false: refuse with the fault that was filled. `body_bytes` is the announced length,
     * 0 when chunked. `expects_continue`: a body will come, none of it is here, and the client waits
     * for 100 Continue. */
    bool (*on_headers)(void *context, Request *request, uint64_t body_bytes, bool expects_continue,
                       HttpFault *fault);
    /* Before `more` bytes are kept; true and false as above. */
    bool (*on_body)(void *context, Request *request, size_t more, HttpFault *fault);
} HttpHandler;

Http *http_new(const HttpLimits *limits, const HttpHandler *handler,
               void *context); /* borrows handler */
void http_free(Http *http);    /* takes; NULL is fine */

/* Feeds bytes; *taken tells how many were used (all, but for what follows a complete request, which
 * must be taken before more is fed). */
HttpFed http_feed(Http *http, Str bytes, size_t *taken);

/* Gives the complete request and makes ready for the next one. */
Request *http_take_request(Http *http);
const HttpFault *http_fault(const Http *http);

/* True between the first byte of a request and its end. Blank lines before it do not count. */
bool http_is_busy(const Http *http);

/* True when the headers of the request under way are complete and its body is not. */
bool http_is_in_body(const Http *http);

#endif
