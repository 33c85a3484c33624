/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz driver of http_feed (libFuzzer). The first two bytes of the input say how to cut the rest; fed
 * whole and fed in pieces, it must give the same requests and the same fault.
 */
#include "net/http.h"

#include "base/ensure.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const HttpLimits limits = {
    .header_bytes_max = 512, .url_bytes_max = 64, .headers_max = 8, .body_bytes_max = 256};

static bool on_headers(void *context, Request *request, uint64_t body_bytes, bool expects_continue,
                       HttpFault *fault) {
    (void)context;
    (void)expects_continue; /* may depend on the cut */
    (void)fault;
    ensure(body_bytes <= limits.body_bytes_max);
    ensure(request->header_count <= limits.headers_max);
    ensure(request->path.len > 0 && request->target.len <= limits.url_bytes_max);
    return true;
}

static bool on_body(void *context, Request *request, size_t more, HttpFault *fault) {
    (void)context;
    (void)fault;
    ensure(request->body.len + more <= limits.body_bytes_max);
    return true;
}

static const HttpHandler handler = {on_headers, on_body};

static void write_str(Buf *report, Str text) {
    buf_addf(report, "%zu:", text.len);
    buf_add(report, text);
}

static void write_request(Buf *report, Request *request) {
    write_str(report, request->method);
    write_str(report, request->path);
    write_str(report, request->query);
    write_str(report, buf_str(&request->body));
    buf_addf(report, "%d%d%d%d", request->version_minor, request->is_keep_alive, request->is_head,
             request->is_upgrade);
    for (uint32_t i = 0; i < request->header_count; i++) {
        Str value;
        write_str(report, request->headers[i].name);
        ensure(request_find_header(request, request->headers[i].name, &value));
        write_str(report, value);
    }
}

/* Feeds one piece from memory of its own, so that reading beyond it is seen. */
static HttpFed feed_piece(Http *http, Str piece, Buf *report) {
    char *copy = mem_alloc(piece.len);
    memcpy(copy, piece.data, piece.len);
    Str rest = str_make(copy, piece.len);
    HttpFed fed;
    do {
        size_t taken;
        fed = http_feed(http, rest, &taken);
        ensure(taken <= rest.len);
        rest = str_make(rest.data + taken, rest.len - taken);
        if (fed == FED_REQUEST) {
            Request *request = http_take_request(http);
            write_request(report, request);
            request_free(request);
        }
    } while (fed == FED_REQUEST && rest.len > 0);
    ensure(fed == FED_FAULT || rest.len == 0);
    mem_free(copy);
    return fed;
}

/* What comes of the input when the first piece has `first` bytes and the others `step`. */
static void run(Str input, size_t first, size_t step, Buf *report) {
    Http *http = http_new(&limits, &handler, NULL);
    HttpFed fed = FED_MORE;
    size_t len = first;
    while (input.len > 0 && fed != FED_FAULT) {
        if (len > input.len) len = input.len;
        fed = feed_piece(http, str_make(input.data, len), report);
        input = str_make(input.data + len, input.len - len);
        len = step;
    }
    if (fed == FED_FAULT) {
        buf_addf(report, "fault %d %s", http_fault(http)->status, http_fault(http)->code);
    } else {
        buf_addf(report, "%d%d", http_is_busy(http), http_is_in_body(http));
    }
    http_free(http);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) return 0;
    Str input = str_make((const char *)data + 2, size - 2);
    Buf whole = BUF_NONE, cut = BUF_NONE;
    run(input, input.len, input.len, &whole);
    run(input, (size_t)data[0] + 1, (size_t)data[1] + 1, &cut);
    ensure(str_equal(buf_str(&whole), buf_str(&cut)));
    buf_deinit(&whole);
    buf_deinit(&cut);
    return 0;
}
