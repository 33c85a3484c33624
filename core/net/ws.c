/* SPDX-License-Identifier: Apache-2.0
 *
 * wslay's frame interface does the framing: header forms, the rules of control frames, unmasking.
 * Its event interface above that is not used: it checks a close frame's reason wrongly when the
 * frame comes in pieces, knows neither 1012 to 1014 nor the sum of fragments when it does not
 * buffer, and queues replies of its own.
 *
 * wslay shows a frame's header only together with the first byte of its payload. A frame must be
 * judged before that, so the header is collected here (`head`), given to wslay in one piece, and
 * judged. After it wslay gets the bytes of that frame's payload and no more; hence it holds nothing
 * back at the end of a frame, and a context whose message is complete can serve another Ws.
 */
#include "net/ws.h"

#include <assert.h>
#include <wslay/wslay.h>

#include "base/buf.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    HEAD_MAX = 14,          /* 2, 8 of length, 4 of mask */
    BARE_LEN = 6,           /* a frame of a client that has no payload */
    CONTROL_MAX = 125,      /* RFC 6455 5.5 */
    REASON_MAX = 123,       /* a control payload without the code */
    MESSAGE_KEEP_MAX = 4096 /* memory of a message that a pooled context keeps */
};

/* Where a text message stands between two bytes: how many bytes the character under way still
 * needs, and what the next may be (RFC 3629 4: that excludes overlong forms, surrogates, and over
 * U+10FFFF). */
typedef struct Utf8 {
    uint8_t missing;
    uint8_t low;
    uint8_t high;
} Utf8;

struct WsContext {
    WsPool *pool;    /* that it goes back to */
    WsContext *next; /* in the pool */
    wslay_frame_context_ptr frame;
    Str input; /* what wslay may take now */
    uint8_t head[HEAD_MAX];
    uint8_t head_len;
    bool is_in_payload;     /* the header is complete and judged */
    uint64_t payload_left;  /* of the frame under way */
    uint8_t message_opcode; /* of the message under way, 0: none */
    uint32_t fragments;     /* its frames so far */
    Utf8 utf8;
    Buf message; /* its payload so far */
    uint8_t control_len;
    char control[CONTROL_MAX];
};

static ssize_t on_recv(uint8_t *buf, size_t len, int flags, void *user_data) {
    WsContext *context = user_data;
    (void)flags;
    size_t n = context->input.len < len ? context->input.len : len;
    if (n == 0) return -1;
    memcpy(buf, context->input.data, n);
    context->input.data += n;
    context->input.len -= n;
    return (ssize_t)n;
}

static WsContext *context_new(WsPool *pool) {
    static const struct wslay_frame_callbacks callbacks = {.recv_callback = on_recv};
    WsContext *context = mem_zalloc(sizeof *context);
    context->pool = pool;
    ensure(wslay_frame_context_init(&context->frame, &callbacks, context) == 0);
    return context;
}

static void context_free(WsContext *context) {
    wslay_frame_context_free(context->frame);
    buf_deinit(&context->message);
    mem_free(context);
}

static bool context_is_idle(const WsContext *context) {
    return context->head_len == 0 && context->message_opcode == 0;
}

static void attach(Ws *ws, WsPool *pool) {
    ws->context = pool->free;
    if (ws->context == NULL) {
        ws->context = context_new(pool);
        return;
    }
    pool->free = ws->context->next;
    pool->free_count--;
}

/* One that stopped in the middle is not worth mending. */
static void detach(Ws *ws) {
    WsContext *context = ws->context;
    WsPool *pool = context->pool;
    ws->context = NULL;
    if (!context_is_idle(context) || pool->free_count >= pool->limits.pool_max) {
        context_free(context);
        return;
    }
    context->next = pool->free;
    pool->free = context;
    pool->free_count++;
}

void ws_pool_init(WsPool *pool, const WsLimits *limits, const WsHandler *handler) {
    *pool = (WsPool){.limits = *limits, .handler = handler};
}

void ws_pool_deinit(WsPool *pool) {
    while (pool->free != NULL) {
        WsContext *context = pool->free;
        pool->free = context->next;
        context_free(context);
    }
    pool->free_count = 0;
}

/* The length of the run of ASCII at the start. */
static size_t ascii_len(Str bytes) {
    size_t i = 0;
    for (uint64_t word; bytes.len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, bytes.data + i, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0) break;
    }
    while (i < bytes.len && (uint8_t)bytes.data[i] < 0x80) i++;
    return i;
}

/* The first byte of a character that is not ASCII. */
static bool utf8_begin(Utf8 *utf8, uint8_t byte) {
    if (byte < 0xC2 || byte > 0xF4) return false;
    utf8->missing = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    utf8->low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    utf8->high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return true;
}

static bool utf8_feed(Utf8 *utf8, Str bytes) {
    for (size_t i = 0; i < bytes.len;) {
        if (utf8->missing == 0) i += ascii_len(str_make(bytes.data + i, bytes.len - i));
        if (i == bytes.len) break;
        uint8_t byte = (uint8_t)bytes.data[i++];
        if (utf8->missing == 0) {
            if (!utf8_begin(utf8, byte)) return false;
            continue;
        }
        if (byte < utf8->low || byte > utf8->high) return false;
        utf8->missing--;
        utf8->low = 0x80;
        utf8->high = 0xBF;
    }
    return true;
}

static void fault(Ws *ws, uint16_t code, const char *reason) {
    ws->is_stopped = true;
    ws->context->pool->handler->on_fault(ws, code, reason);
}

static size_t head_wanted(const WsContext *context) {
    if (context->head_len < 2) return 2;
    uint8_t len = context->head[1] & 0x7F;
    size_t mask_len = context->head[1] & 0x80 ? 4 : 0;
    return 2 + mask_len + (len == 126 ? 2 : len == 127 ? 8 : 0);
}

static uint64_t head_payload_len(const WsContext *context) {
    uint8_t len = context->head[1] & 0x7F;
    if (len < 126) return len;
    uint64_t value = 0;
    size_t end = len == 126 ? 4 : 10;
    for (size_t i = 2; i < end; i++) value = value << 8 | context->head[i];
    return value;
}

static bool is_control(uint8_t opcode) {
    return opcode >= WS_CLOSE;
}

/* A frame of a message: opens one or goes on with the one under way. */
static void start_fragment(Ws *ws, uint8_t opcode) {
    WsContext *context = ws->context;
    const WsLimits *limits = &ws->context->pool->limits;
    bool is_continuation = opcode == WSLAY_CONTINUATION_FRAME;
    if (is_continuation && context->message_opcode == 0) {
        fault(ws, WS_CODE_PROTOCOL, "there is no message to continue");
    } else if (!is_continuation && context->message_opcode != 0) {
        fault(ws, WS_CODE_PROTOCOL, "the message before is not complete");
    } else if (context->payload_left > limits->message_bytes_max - context->message.len) {
        fault(ws, WS_CODE_TOO_BIG, "the message is too big");
    } else if (context->fragments == limits->fragments_max) {
        fault(ws, WS_CODE_POLICY, "the message has too many fragments");
    } else {
        context->fragments++;
        if (!is_continuation) context->message_opcode = opcode;
    }
}

/* Judges the header, which wslay found well-formed. */
static void start_frame(Ws *ws) {
    WsContext *context = ws->context;
    uint8_t opcode = context->head[0] & 0x0F;
    context->is_in_payload = true;
    context->payload_left = head_payload_len(context);
    if ((context->head[0] & 0x70) != 0) {
        fault(ws, WS_CODE_PROTOCOL, "a reserved bit is set");
    } else if ((opcode > WS_BINARY && opcode < WS_CLOSE) || opcode > WS_PONG) {
        fault(ws, WS_CODE_PROTOCOL, "the opcode is reserved");
    } else if ((context->head[1] & 0x80) == 0) {
        fault(ws, WS_CODE_PROTOCOL, "the frame is not masked");
    } else if (!is_control(opcode)) {
        start_fragment(ws, opcode);
    }
}

static void end_message(Ws *ws) {
    WsContext *context = ws->context;
    WsOpcode opcode = (WsOpcode)context->message_opcode;
    if (opcode == WS_TEXT && context->utf8.missing != 0) {
        fault(ws, WS_CODE_UTF8, "the text is not UTF-8");
        return;
    }
    ws->context->pool->handler->on_frame(ws, opcode, 0, buf_str(&context->message));
    context->message_opcode = 0;
    context->fragments = 0;
    if (context->message.cap > MESSAGE_KEEP_MAX) {
        buf_deinit(&context->message);
    } else {
        buf_clear(&context->message);
    }
}

static void end_close(Ws *ws, Str payload) {
    uint16_t code = WS_CODE_NONE;
    if (payload.len == 1) {
        fault(ws, WS_CODE_PROTOCOL, "half a close code");
        return;
    }
    if (payload.len >= 2) {
        code = (uint16_t)((uint8_t)payload.data[0] << 8 | (uint8_t)payload.data[1]);
        payload = str_make(payload.data + 2, payload.len - 2);
        if (!ws_code_is_valid(code)) {
            fault(ws, WS_CODE_PROTOCOL, "the close code is not valid");
            return;
        }
        if (!text_is_utf8(payload)) {
            fault(ws, WS_CODE_UTF8, "the close reason is not UTF-8");
            return;
        }
    }
    ws->is_stopped = true;
    ws->context->pool->handler->on_frame(ws, WS_CLOSE, code, payload);
}

static void end_frame(Ws *ws) {
    WsContext *context = ws->context;
    uint8_t opcode = context->head[0] & 0x0F;
    bool is_final = context->head[0] & 0x80;
    context->is_in_payload = false;
    context->head_len = 0;
    if (opcode == WS_CLOSE) {
        end_close(ws, str_make(context->control, context->control_len));
    } else if (is_control(opcode)) {
        ws->context->pool->handler->on_frame(ws, (WsOpcode)opcode, 0,
                                             str_make(context->control, context->control_len));
    } else if (is_final) {
        end_message(ws);
    }
    context->control_len = 0;
}

/* Bytes of the frame's payload, unmasked. */
static void add_payload(Ws *ws, Str bytes) {
    WsContext *context = ws->context;
    if (is_control(context->head[0] & 0x0F)) {
        memcpy(context->control + context->control_len, bytes.data, bytes.len);
        context->control_len = (uint8_t)(context->control_len + bytes.len);
        return;
    }
    if (context->message_opcode == WS_TEXT && !utf8_feed(&context->utf8, bytes)) {
        fault(ws, WS_CODE_UTF8, "the text is not UTF-8");
        return;
    }
    buf_add(&context->message, bytes);
}

static void feed_wslay_head(Ws *ws) {
    WsContext *context = ws->context;
    struct wslay_frame_iocb iocb;
    context->input = str_make((const char *)context->head, context->head_len);
    if (wslay_frame_recv(context->frame, &iocb) == WSLAY_ERR_PROTO) {
        fault(ws, WS_CODE_PROTOCOL, "the frame header is malformed");
    }
}

/* Both give the number of bytes taken. */

static size_t feed_head(Ws *ws, Str bytes) {
    WsContext *context = ws->context;
    size_t n = head_wanted(context) - context->head_len;
    if (n > bytes.len) n = bytes.len;
    memcpy(context->head + context->head_len, bytes.data, n);
    context->head_len = (uint8_t)(context->head_len + n);
    if (context->head_len < head_wanted(context)) return n;
    feed_wslay_head(ws);
    if (!ws->is_stopped) start_frame(ws);
    if (!ws->is_stopped && context->payload_left == 0) end_frame(ws);
    return n;
}

static size_t feed_payload(Ws *ws, Str bytes) {
    WsContext *context = ws->context;
    size_t n = bytes.len < context->payload_left ? bytes.len : (size_t)context->payload_left;
    context->input = str_make(bytes.data, n);
    context->payload_left -= n;
    while (context->input.len > 0 && !ws->is_stopped) {
        struct wslay_frame_iocb iocb;
        ssize_t len = wslay_frame_recv(context->frame, &iocb);
        ensure(len > 0);
        add_payload(ws, str_make((const char *)iocb.data, (size_t)len));
    }
    if (!ws->is_stopped && context->payload_left == 0) end_frame(ws);
    return n;
}

void ws_init(Ws *ws) {
    *ws = (Ws){.context = NULL};
}

void ws_deinit(Ws *ws) {
    if (ws->context != NULL) detach(ws);
}

/* A masked pong without payload, which answers a ping of ours: what idle clients send, and nothing else. */
static bool is_bare_pong(Str bytes) {
    return bytes.len >= BARE_LEN && (uint8_t)bytes.data[0] == (0x80 | WS_PONG) &&
           (uint8_t)bytes.data[1] == 0x80;
}

/* Between two messages it needs no context. */
static bool take_bare_pong(Ws *ws, const WsPool *pool, Str *bytes) {
    if (ws->context != NULL || !is_bare_pong(*bytes)) return false;
    *bytes = str_make(bytes->data + BARE_LEN, bytes->len - BARE_LEN);
    pool->handler->on_frame(ws, WS_PONG, 0, STR_NONE);
    return true;
}

void ws_feed(Ws *ws, WsPool *pool, Str bytes) {
    while (bytes.len > 0 && !ws->is_stopped) {
        if (take_bare_pong(ws, pool, &bytes)) continue;
        if (ws->context == NULL) attach(ws, pool);
        size_t n = ws->context->is_in_payload ? feed_payload(ws, bytes) : feed_head(ws, bytes);
        bytes = str_make(bytes.data + n, bytes.len - n);
    }
    if (ws->context != NULL && (ws->is_stopped || context_is_idle(ws->context))) detach(ws);
}

void ws_stop(Ws *ws) {
    ws->is_stopped = true;
}

size_t ws_header_len(size_t payload_len) {
    return payload_len < 126 ? 2 : payload_len <= UINT16_MAX ? 4 : WS_HEADER_MAX;
}

void ws_write_header(char *out, WsOpcode opcode, size_t payload_len) {
    size_t header_len = ws_header_len(payload_len);
    out[0] = (char)(0x80 | opcode);
    out[1] = (char)(header_len == 2 ? payload_len : header_len == 4 ? 126 : 127);
    uint64_t rest = payload_len;
    for (size_t i = header_len; i > 2; i--) {
        out[i - 1] = (char)(rest & 0xFF);
        rest >>= 8;
    }
}

Str ws_split(Str *frames, WsOpcode *opcode) {
    const unsigned char *head = (const unsigned char *)frames->data;
    size_t header_len = head[1] == 127 ? WS_HEADER_MAX : head[1] == 126 ? 4 : 2;
    size_t len = header_len == 2 ? head[1] : 0;
    for (size_t i = 2; i < header_len; i++) len = len << 8 | head[i];
    Str payload = str_make(frames->data + header_len, len);
    *opcode = (WsOpcode)(head[0] & 0x0F);
    *frames = str_make(payload.data + len, frames->len - header_len - len);
    return payload;
}

Bytes *ws_encode(WsOpcode opcode, Str payload) {
    assert(!is_control((uint8_t)opcode) || payload.len <= CONTROL_MAX);
    size_t header_len = ws_header_len(payload.len);
    Bytes *frame = bytes_new(header_len + payload.len);
    ws_write_header(frame->data, opcode, payload.len);
    if (payload.len > 0) memcpy(frame->data + header_len, payload.data, payload.len);
    return frame;
}

/* The longest start of the text that ends at a character and has at most `len` bytes. */
static Str cut_text(Str text, size_t len) {
    if (text.len <= len) return text;
    while (len > 0 && ((uint8_t)text.data[len] & 0xC0) == 0x80) len--;
    return str_make(text.data, len);
}

Bytes *ws_encode_close(uint16_t code, Str reason) {
    if (code == WS_CODE_NONE) return ws_encode(WS_CLOSE, STR_NONE);
    assert(ws_code_is_valid(code));
    char payload[CONTROL_MAX] = {(char)(code >> 8), (char)(code & 0xFF)};
    Str text = text_is_utf8(reason) ? cut_text(reason, REASON_MAX) : STR_NONE;
    if (text.len > 0) memcpy(payload + 2, text.data, text.len);
    return ws_encode(WS_CLOSE, str_make(payload, text.len + 2));
}

bool ws_code_is_valid(uint16_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
