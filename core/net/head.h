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

/* Whether `c` may be in a token (RFC 9110 5.6.2). */
static inline bool head_is_token_char(char c) {
    static const bool table[256] = {
        ['!'] = true, ['#' ... '\''] = true, ['*'] = true,         ['+'] = true,
        ['-'] = true, ['.'] = true,          ['0' ... '9'] = true, ['A' ... 'Z'] = true,
        ['|'] = true, ['~'] = true,          ['^' ... 'z'] = true, /* with _ and ` */
    };
    return table[(unsigned char)c];
}

#endif
