/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sse.h"

#include "base/json.h"

/* Each of CR, LF and CR LF ends a line. */
static Str take_line(Str *text) {
    size_t n = 0;
    while (n < text->len && text->data[n] != '\n' && text->data[n] != '\r') n++;
    Str line = str_make(text->data, n);
    if (n + 1 < text->len && text->data[n] == '\r' && text->data[n + 1] == '\n') n++;
    if (n < text->len) n++;
    *text = str_make(text->data + n, text->len - n);
    return line;
}

static void add_field(Buf *out, Str name, Str value) {
    buf_add(out, name);
    buf_add(out, value);
    buf_add_char(out, '\n');
}

static void add_name(Buf *out, Str raw) {
    size_t start = out->len;
    json_decode_string(raw, out);
    for (size_t i = start; i < out->len; i++) {
        if (out->data[i] == '\n' || out->data[i] == '\r') out->data[i] = ' ';
    }
}

Bytes *sse_encode(const MessageParts *parts, MessageParts *placed) {
    (void)placed; /* never the first encoding */
    Buf out = BUF_NONE;
    buf_reserve(&out, parts->event.len + parts->attributes.len + 64);
    buf_add(&out, STR("event: "));
    add_name(&out, parts->event);
    buf_add_char(&out, '\n');
    for (Str rest = parts->attributes; rest.len > 0;) {
        add_field(&out, STR("data: "), take_line(&rest));
    }
    if (parts->id.len > 0) add_field(&out, STR("id: "), parts->id);
    buf_add_char(&out, '\n');
    Bytes *frame = bytes_copy(buf_str(&out));
    buf_deinit(&out);
    return frame;
}

Bytes *sse_beat(void) {
    /* Its first reference is never released. */
    static Bytes beat = {.refs = 1, .len = 3, .data = {':', '\n', '\n'}};
    return bytes_retain(&beat);
}
