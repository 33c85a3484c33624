/* SPDX-License-Identifier: Apache-2.0
 *
 * request: one HTTP request, complete with its body, in an arena of its own. http.c makes it; whoever
 * got it by on_request owns it, answers it once through its exchange, and frees it. It outlives its
 * connection: then `exchange` is NULL and an answer goes nowhere. Worker's thread only.
 */
#ifndef NET_REQUEST_H
#define NET_REQUEST_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "net/address.h"

typedef struct Header {
    Str name;  /* lower case */
    Str value; /* without blanks around it */
} Header;

typedef struct Request {
    struct Exchange *exchange;      /* NULL once the connection is gone or the answer is sent */
    void (*on_gone)(void *context); /* the connection is gone before the answer; may be NULL */
    void *gone_context;
    Arena arena;        /* holds all Strs below but the body */
    Str line;           /* "GET /control/search/users?page[size]=1": method and target */
    Str method;         /* "GET" */
    Str target;         /* as it was sent: "/control/notify?method=..." */
    Str path;           /* percent-decoded, from '/'; or "*" (OPTIONS only) */
    Str query;          /* raw, without '?' */
    Header *headers;    /* in the order they came */
    uint64_t name_lens; /* a bit for each length (modulo 64) of their names */
    uint32_t header_count;
    uint8_t version_minor; /* HTTP/1.x: 0 or 1 */
    bool is_keep_alive;
    bool is_head;
    bool is_upgrade; /* asks for another protocol: Connection: upgrade and an Upgrade header */
    Buf body;
    uint64_t *memory;     /* counts the bytes of bodies held; NULL: nobody counts */
    uint64_t memory_held; /* this request's share of it */
    Address remote;       /* the peer's */
} Request;

Request *request_new(void);          /* gives; empty */
void request_free(Request *request); /* takes; answered, or its connection gone; NULL is fine */

/* Counts `more` body bytes in *memory until the request is freed. `memory` must outlive it. */
void request_hold(Request *request, uint64_t *memory, size_t more);

/* One more header, for which there is room in `headers`; its name in lower case. */
void request_add_header(Request *request, Str name, Str value);

/* The value of the header `name` (lower case); several of one name are joined with ", " as RFC 9110 5.3
 * allows (Cookie with "; "). False: not there. */
bool request_find_header(Request *request, Str name, Str *value);

#endif
