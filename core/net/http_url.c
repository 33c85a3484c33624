/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A copy of ours; NULL: the URL has no such part. */
static char *part_of(CURLU *url, CURLUPart part, unsigned flags) {
    char *text = NULL;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return NULL;
    char *copy = mem_copy(text, strlen(text));
    curl_free(text);
    return copy;
}

static bool has_part(CURLU *url, CURLUPart part) {
    char *text = part_of(url, part, 0);
    mem_free(text);
    return text != NULL;
}

static bool try_set(CURLU *url, const char *text, const char *base) {
    if (base != NULL && curl_url_set(url, CURLUPART_URL, base, 0) != CURLUE_OK) return false;
    if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK) return false;
    if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD)) return false;
    return curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK;
}

int http_url_parse(const char *text, const char *base, HttpUrl *out) {
    CURLU *url = curl_url();
    char *scheme = url != NULL && try_set(url, text, base) ? part_of(url, CURLUPART_SCHEME, 0) : NULL;
    bool is_tls = scheme != NULL && strcmp(scheme, "https") == 0;
    bool is_http = is_tls || (scheme != NULL && strcmp(scheme, "http") == 0);
    HttpUrl made = {.is_tls = is_tls};
    if (is_http) {
        made.text = part_of(url, CURLUPART_URL, 0);
        made.host = part_of(url, CURLUPART_HOST, 0);
        char *port = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
        made.port = (uint16_t)(port ? strtoul(port, NULL, 10) : 0);
        mem_free(port);
    }
    mem_free(scheme);
    curl_url_cleanup(url);
    if (made.text == NULL || made.host == NULL || made.host[0] == '\0') {
        http_url_deinit(&made);
        return ERR_INVALID;
    }
    for (char *at = made.host; *at != '\0'; at++) *at = (char)tolower((unsigned char)*at);
    *out = made;
    return 0;
}

void http_url_deinit(HttpUrl *url) {
    mem_free(url->text);
    mem_free(url->host);
    *url = (HttpUrl){.text = NULL};
}
