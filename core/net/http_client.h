/* SPDX-License-Identifier: Apache-2.0
 *
 * http_client: requests that plugins make to other servers, on the loop of one worker. Bounded in calls that
 * run, calls that wait for their turn, bytes of one body and of all. No redirects are followed, no proxy of
 * the environment is used, certificates are always checked. Names are looked up off the loop. Worker's
 * thread only, but for http_client_setup.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "net/net.h"

typedef struct HttpClient HttpClient;
typedef struct HttpCall HttpCall;

typedef struct HttpClientLimits {
    uint32_t calls_max;      /* that run at one time */
    uint32_t waiting_max;    /* further ones that wait for their turn */
    uint64_t body_bytes_max; /* of one body, either way */
    uint64_t memory_max;     /* bodies of all calls, both ways */
    const char *ca_file;     /* borrowed for good; NULL: the system's authorities */
} HttpClientLimits;

typedef struct HttpHeader {
    Str name;
    Str value;
} HttpHeader;

/* What is asked; all borrowed. */
typedef struct HttpQuery {
    const char *method;
    const char *url;
    const HttpHeader *headers; /* without line ends in them */
    size_t header_count;
    Str body;
    bool has_body;
    bool is_public_only; /* the address must be one of the open Internet */
    uint32_t timeout_ms; /* for all of it, with its waiting */
    uint64_t body_bytes_max;
} HttpQuery;

typedef struct HttpAnswer {
    int error;           /* 0, or UNAVAILABLE, IO, TIMEOUT, LIMIT, DENIED, INVALID */
    const char *message; /* of an error; without path and query of the URL */
    int status;
    Buf headers; /* lines "Name: value\n" of the last response */
    Buf body;
} HttpAnswer;

/* Borrows the answer. Called once, unless the call was cancelled, and not within http_client_call. */
typedef void (*HttpOnAnswer)(void *context, const HttpAnswer *answer);

/* Once per process, before the first thread. */
void http_client_setup(void);

/* Gives; borrows the net. Its handles do not keep the loop running. */
HttpClient *http_client_open(Net *net, const HttpClientLimits *limits);
void http_client_close(HttpClient *client); /* takes; cancels what runs. The loop must run once more */

/* ERR_LIMIT: too many wait, or too many bytes are in memory. The call is the client's, and good until it
 * was answered. */
WARN_UNUSED int http_client_call(HttpClient *client, const HttpQuery *query, HttpOnAnswer on_answer,
                                 void *context, HttpCall **call);
void http_client_cancel(HttpCall *call); /* not within on_answer of the same call */

#endif
