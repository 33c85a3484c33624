/* SPDX-License-Identifier: Apache-2.0 */
#include "net/head.h"

#include "base/text.h"

static bool refuse(HttpFault *fault, int status, const char *code, const char *detail) {
    *fault = (HttpFault){.status = status, .code = code, .detail = detail};
    return false;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static Str skip(Str text, size_t len) {
    return str_make(text.data + len, text.len - len);
}

/* --- Host --- */

static bool is_escape(Str text) {
    return text.len >= 3 && text.data[0] == '%' && is_hex(text.data[1]) && is_hex(text.data[2]);
}

/* RFC 3986 reg-name, which covers IPv4 addresses; but not an empty one. */
static bool is_name(Str host) {
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        if (is_digit(c) || is_letter(c) || is_escape(skip(host, i))) continue;
        if (c == '\0' || strchr("-._~!$&'()*+,;=", c) == NULL) return false;
    }
    return host.len > 0;
}

static bool is_bracketed(Str host) {
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        if (!is_hex(c) && c != ':' && c != '.') return false;
    }
    return host.len > 1;
}

static bool is_port(Str port) {
    for (size_t i = 0; i < port.len; i++) {
        if (!is_digit(port.data[i])) return false;
    }
    return port.len <= 5;
}

/* uri-host [":" port] */
static bool is_authority(Str text) {
    Str host, port;
    if (text.len > 0 && text.data[0] == '[') {
        if (!str_split(skip(text, 1), ']', &host, &port) || !is_bracketed(host)) return false;
        return port.len == 0 || (port.data[0] == ':' && is_port(skip(port, 1)));
    }
    str_split(text, ':', &host, &port);
    return is_name(host) && is_port(port);
}

static bool check_host(Request *request, Str authority, HttpFault *fault) {
    static const char code[] = "host-invalid";
    Header *host = NULL;
    for (uint32_t i = 0; i < request->header_count; i++) {
        if (!str_equal(request->headers[i].name, STR("host"))) continue;
        if (host != NULL) return refuse(fault, 400, code, "Send one Host header, not several.");
        host = &request->headers[i];
    }
    if (host == NULL && request->version_minor > 0) {
        return refuse(fault, 400, code, "Send a Host header: HTTP/1.1 requires it.");
    }
    if (host != NULL && !is_authority(host->value)) {
        return refuse(fault, 400, code, "Send a Host header of the form name or name:port.");
    }
    /* RFC 9112 3.2.2: the target's authority counts, whatever Host says. */
    if (host != NULL && authority.len > 0) host->value = authority;
    return true;
}

/* --- target --- */

static bool refuse_target(HttpFault *fault, const char *detail) {
    return refuse(fault, 400, "target-invalid", detail);
}

static bool decode_path(Request *request, Str raw, HttpFault *fault) {
    request->path = raw;
    if (memchr(raw.data, '%', raw.len) == NULL) return true;
    Buf decoded = BUF_NONE;
    bool is_valid = text_percent_decode(raw, false, &decoded) == 0 &&
                    memchr(decoded.data, '\0', decoded.len) == NULL;
    if (is_valid) request->path = arena_copy(&request->arena, buf_str(&decoded));
    buf_deinit(&decoded);
    if (is_valid) return true;
    return refuse_target(fault, "Write a percent sign in the path as %25, and no %00.");
}

static bool has_scheme(Str target) {
    return target.len >= 7 && str_equal_nocase(str_make(target.data, 7), STR("http://"));
}

/* Cuts "http://authority/path?query" behind the authority. */
static bool take_authority(Str *target, Str *authority, HttpFault *fault) {
    *target = skip(*target, 7);
    size_t len = 0;
    while (len < target->len && target->data[len] != '/' && target->data[len] != '?') len++;
    *authority = str_make(target->data, len);
    *target = skip(*target, len);
    if (is_authority(*authority)) return true;
    return refuse_target(fault, "Name a host in the target, or send only the path.");
}

static bool read_target(Request *request, Str *authority, HttpFault *fault) {
    Str target = request->target, raw;
    if (str_equal(request->method, STR("CONNECT"))) {
        return refuse_target(fault, "This server is no proxy: CONNECT is not possible.");
    }
    if (memchr(target.data, '#', target.len) != NULL) {
        return refuse_target(fault, "Send the target without a fragment, or '#' as %23.");
    }
    if (str_equal(target, STR("*")) && str_equal(request->method, STR("OPTIONS"))) {
        request->path = target;
        return true;
    }
    if (has_scheme(target) && !take_authority(&target, authority, fault)) return false;
    bool is_absolute = authority->len > 0;
    str_split(target, '?', &raw, &request->query);
    if (raw.len == 0 && is_absolute) raw = STR("/");
    if (raw.len > 0 && raw.data[0] == '/') return decode_path(request, raw, fault);
    return refuse_target(fault, "Begin the target with '/' or http://.");
}

/* --- Transfer-Encoding, Content-Length --- */

/* Takes the next item of a comma-separated list; empty ones do not count (RFC 9110 5.6.1). */
static bool next_item(Str *list, Str *item) {
    while (list->len > 0) {
        Str rest;
        str_split(*list, ',', item, &rest);
        *list = rest;
        *item = str_trim(*item);
        if (item->len > 0) return true;
    }
    return false;
}

static bool has_item(Str list, Str wanted) {
    Str item;
    while (next_item(&list, &item)) {
        if (str_equal_nocase(item, wanted)) return true;
    }
    return false;
}

static bool is_token(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (!head_is_token_char(text.data[i])) return false;
    }
    return text.len > 0;
}

/* What llhttp passes is more: any list that ends in chunked. */
static bool check_coding(Str coding, HttpFault *fault) {
    static const char code[] = "transfer-encoding-invalid";
    if (str_equal_nocase(coding, STR("chunked"))) return true;
    Str list = coding, item;
    bool is_chunked = false;
    size_t count = 0;
    while (next_item(&list, &item)) {
        if (is_chunked || !is_token(item)) break;
        is_chunked = str_equal_nocase(item, STR("chunked"));
        count++;
    }
    if (list.len > 0 || count == 0 || (is_chunked && count == 1)) {
        return refuse(fault, 400, code, "Send Transfer-Encoding: chunked, once and last.");
    }
    return refuse(fault, 501, code, "Send Transfer-Encoding: chunked and no other coding.");
}

static bool check_framing(Request *request, HeadBody *body, HttpFault *fault) {
    Str coding;
    body->is_chunked = request_find_header(request, STR("transfer-encoding"), &coding);
    if (!body->is_chunked) return true;
    if (request->version_minor > 0) return check_coding(coding, fault);
    return refuse(fault, 400, "transfer-encoding-invalid", "Transfer-Encoding needs HTTP/1.1.");
}

/* --- Expect, Connection --- */

/* RFC 9110 10.1.1: HTTP/1.0 clients do not know what 100 Continue is. */
static bool check_expect(Request *request, HeadBody *body, HttpFault *fault) {
    Str expect;
    body->expects_continue = false;
    if (!request_find_header(request, STR("expect"), &expect)) return true;
    if (!str_equal_nocase(expect, STR("100-continue"))) {
        return refuse(fault, 417, "expectation-unknown", "Expect nothing but 100-continue.");
    }
    body->expects_continue = request->version_minor > 0;
    return true;
}

static void read_connection(Request *request) {
    Str list = STR_NONE, upgrade;
    request_find_header(request, STR("connection"), &list);
    bool is_modern = request->version_minor > 0;
    bool has_close = has_item(list, STR("close"));
    request->is_keep_alive = !has_close && (is_modern || has_item(list, STR("keep-alive")));
    request->is_upgrade = is_modern && has_item(list, STR("upgrade")) &&
                          request_find_header(request, STR("upgrade"), &upgrade);
}

bool head_check(Request *request, HeadBody *body, HttpFault *fault) {
    Str authority = STR_NONE;
    request->is_head = str_equal(request->method, STR("HEAD"));
    read_connection(request);
    return read_target(request, &authority, fault) && check_host(request, authority, fault) &&
           check_framing(request, body, fault) && check_expect(request, body, fault);
}
