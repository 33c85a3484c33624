/* SPDX-License-Identifier: Apache-2.0
 *
 * head: what the head of a request means, and whether it may be believed: target, Host, body framing,
 * Connection, Expect (RFC 9110, 9112). http.c has cut it into method, target and headers; this fills
 * the rest of the Request. Without state. Any thread.
 */
#ifndef NET_HEAD_H
#define NET_HEAD_H

#include "net/http.h"

typedef struct HeadBody {
    bool is_chunked;       /* Transfer-Encoding: chunked, and nothing else */
    bool expects_continue; /* Expect: 100-continue from a client that may say so */
} HeadBody;

/* Fills path, query, is_head, is_keep_alive, is_upgrade and, for a target in absolute form, the value
 * of Host. False: refused with `fault`. Wants version_minor, method, target and headers. */
bool head_check(Request *request, HeadBody *body, HttpFault *fault);

/* Whether `c` may be in a token (RFC 9110 5.6.2): a letter, a digit or one of !#$%&'*+-.^_`|~ */
static inline bool head_is_token_char(char c) {
    static const uint64_t sets[4] = {0x3ff6cfa00000000, 0x57ffffffc7fffffe, 0,
                                     0}; /* a bit for each character */
    unsigned char at = (unsigned char)c;
    return sets[at / 64] >> at % 64 & 1;
}

#endif
