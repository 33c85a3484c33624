/* SPDX-License-Identifier: Apache-2.0
 *
 * http_url: the URL of a request that we make, taken apart as the one who sends it will understand it. Pure
 * functions; any thread.
 */
#ifndef NET_HTTP_URL_H
#define NET_HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef struct HttpUrl {
    char *text; /* absolute and in normal form, without fragment */
    char *host; /* in lower case; of IPv6 in brackets */
    uint16_t port;
    bool is_tls;
} HttpUrl;

/* `base` may be NULL; with it the text may be relative, as in a Location. ERR_INVALID: no http or https URL,
 * or one with a user in it. `out` is for http_url_deinit when it is 0. */
WARN_UNUSED int http_url_parse(const char *text, const char *base, HttpUrl *out);
void http_url_deinit(HttpUrl *url);

#endif
