/* SPDX-License-Identifier: Apache-2.0 */
#include "net/handshake.h"

#include "base/base64.h"
#include "data/digest.h"

enum { KEY_LEN = 24, KEY_BYTES = 16 };

/* RFC 6455 1.3. */
#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/* Takes the next item of a comma-separated list, without blanks around it. */
static bool next_item(Str *list, Str *item) {
    if (list->len == 0) return false;
    Str rest;
    str_split(*list, ',', item, &rest);
    *item = str_trim(*item);
    *list = rest;
    return true;
}

static bool header_has_token(Request *request, Str name, Str token) {
    Str list = STR_NONE, item;
    if (!request_find_header(request, name, &list)) return false;
    while (next_item(&list, &item)) {
        if (str_equal_nocase(item, token)) return true;
    }
    return false;
}

static bool header_is(Request *request, Str name, Str expected) {
    Str value;
    return request_find_header(request, name, &value) && str_equal(value, expected);
}

static Str key_of(Request *request) {
    Str key = STR_NONE;
    if (!request_find_header(request, STR("sec-websocket-key"), &key)) return STR_NONE;
    return key;
}

/* Two keys in one request arrive as one text with a comma, which is not base64. */
static bool key_is_valid(Request *request) {
    Str key = key_of(request);
    if (key.len != KEY_LEN) return false;
    Buf bytes = BUF_NONE;
    bool is_valid = base64_decode(BASE64_PADDED, key, &bytes) == 0 && bytes.len == KEY_BYTES;
    buf_deinit(&bytes);
    return is_valid;
}

static bool has_body(Request *request) {
    Str value;
    return request->body.len > 0 || request_find_header(request, STR("transfer-encoding"), &value);
}

static bool has_host(Request *request) {
    Str value;
    return request_find_header(request, STR("host"), &value);
}

static bool refuse(HttpFault *fault, int status, const char *code, const char *detail) {
    *fault = (HttpFault){.status = status, .code = code, .detail = detail};
    return false;
}

bool handshake_check(Request *request, HttpFault *fault) {
    static const char code[] = "websocket-handshake";
    if (!header_has_token(request, STR("upgrade"), STR("websocket"))) {
        return refuse(fault, 426, "upgrade-required", "This address speaks WebSocket only.");
    }
    if (!header_has_token(request, STR("connection"), STR("upgrade"))) {
        return refuse(fault, 400, code,
                      "Connection: Upgrade is missing. A proxy on the way may have dropped it.");
    }
    if (!str_equal(request->method, STR("GET")) || request->version_minor < 1) {
        return refuse(fault, 400, code, "A WebSocket opens with GET and HTTP/1.1.");
    }
    if (!has_host(request)) return refuse(fault, 400, code, "The Host header is missing.");
    if (has_body(request)) {
        return refuse(fault, 400, code, "The request that opens a WebSocket has no body.");
    }
    if (!header_is(request, STR("sec-websocket-version"), STR("13"))) {
        return refuse(fault, 426, "websocket-version", "Sec-WebSocket-Version must be 13.");
    }
    if (!key_is_valid(request)) {
        return refuse(fault, 400, code, "Sec-WebSocket-Key must be 16 bytes in base64, given once.");
    }
    return true;
}

static void add_header(Buf *out, Str name, Str value) {
    buf_add(out, name);
    buf_add(out, STR(": "));
    buf_add(out, value);
    buf_add(out, STR("\r\n"));
}

static void add_accept(Buf *out, Str key) {
    Buf text = BUF_NONE;
    buf_add(&text, key);
    buf_add(&text, STR(ACCEPT_GUID));
    buf_add(out, STR("Sec-WebSocket-Accept: "));
    digest_sha1_base64(buf_str(&text), out);
    buf_add(out, STR("\r\n"));
    buf_deinit(&text);
}

void handshake_encode(Request *request, Str protocol, const Header *headers, size_t header_count,
                      Buf *out) {
    buf_add(out, STR("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"));
    add_accept(out, key_of(request));
    if (protocol.len > 0) add_header(out, STR("Sec-WebSocket-Protocol"), protocol);
    for (size_t i = 0; i < header_count; i++) add_header(out, headers[i].name, headers[i].value);
    buf_add(out, STR("\r\n"));
}

Bytes *handshake_answer(Request *request, Str protocol) {
    Buf answer = BUF_NONE;
    handshake_encode(request, protocol, NULL, 0, &answer);
    Bytes *bytes = bytes_copy(buf_str(&answer));
    buf_deinit(&answer);
    return bytes;
}

bool handshake_offers(Request *request, Str protocol) {
    Str list = STR_NONE, item;
    if (!request_find_header(request, STR("sec-websocket-protocol"), &list)) return false;
    while (next_item(&list, &item)) {
        if (str_equal(item, protocol)) return true;
    }
    return false;
}
