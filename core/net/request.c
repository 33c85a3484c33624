/* SPDX-License-Identifier: Apache-2.0 */
#include "net/request.h"

#include "base/ensure.h"
#include "base/metrics.h"

/* It lies in its own arena. */
Request *request_new(void) {
    Arena arena;
    arena_init(&arena);
    Request *request = arena_alloc(&arena, sizeof *request);
    *request = (Request){.arena = arena};
    return request;
}

void request_free(Request *request) {
    if (request == NULL) return;
    ensure(request->exchange == NULL); /* it would wait for the answer for ever */
    if (request->memory != NULL) {
        *request->memory -= request->memory_held;
        metrics_add(METRIC_request_bytes, -(int64_t)request->memory_held);
    }
    buf_deinit(&request->body);
    Arena arena = request->arena;
    arena_deinit(&arena);
}

void request_hold(Request *request, uint64_t *memory, size_t more) {
    request->memory = memory;
    request->memory_held += more;
    *memory += more;
    metrics_add(METRIC_request_bytes, (int64_t)more);
}

void request_add_header(Request *request, Str name, Str value) {
    request->headers[request->header_count++] = (Header){name, value};
    request->name_lens |= UINT64_C(1) << name.len % 64;
}

static char *append(char *at, Str text) {
    if (text.len > 0) memcpy(at, text.data, text.len);
    return at + text.len;
}

/* Joins the headers of that name; `len` is the room that it takes. */
static Str join(Request *request, Str name, Str separator, size_t len) {
    char *joined = arena_alloc(&request->arena, len);
    char *at = joined;
    for (uint32_t i = 0; i < request->header_count; i++) {
        if (!str_equal(request->headers[i].name, name)) continue;
        if (at != joined) at = append(at, separator);
        at = append(at, request->headers[i].value);
    }
    return str_make(joined, (size_t)(at - joined));
}

bool request_find_header(Request *request, Str name, Str *value) {
    if ((request->name_lens >> name.len % 64 & 1) == 0) return false; /* so are most */
    Str separator = str_equal(name, STR("cookie")) ? STR("; ") : STR(", ");
    size_t count = 0, len = 0;
    for (uint32_t i = 0; i < request->header_count; i++) {
        const Header *header = &request->headers[i];
        if (!str_equal(header->name, name)) continue;
        if (count++ == 0) *value = header->value;
        len += header->value.len + separator.len;
    }
    if (count > 1) *value = join(request, name, separator, len);
    return count > 0;
}
