/* SPDX-License-Identifier: Apache-2.0
 *
 * Feeds the bytes behind the first to a Ws twice: at once, and cut into pieces as the first byte
 * says. Both must tell the same, and nothing that ws.h rules out.
 */
#include <stddef.h>

#include "base/buf.h"
#include "base/ensure.h"
#include "base/text.h"
#include "net/ws.h"

enum { MESSAGE_MAX = 1000, FRAGMENTS_MAX = 8 };

/* What one Ws told, as bytes to compare. */
typedef struct Story {
    Ws ws;
    Buf told;
    bool is_over;
} Story;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Story *story_of(Ws *ws) {
    return (Story *)(void *)((char *)ws - offsetof(Story, ws));
}

static void on_frame(Ws *ws, WsOpcode opcode, uint16_t code, Str payload) {
    Story *story = story_of(ws);
    ensure(!story->is_over);
    ensure(payload.len <= (opcode >= WS_CLOSE ? 125 : MESSAGE_MAX));
    ensure(opcode == WS_BINARY || opcode > WS_CLOSE || text_is_utf8(payload));
    ensure(opcode == WS_CLOSE ? code == WS_CODE_NONE || ws_code_is_valid(code) : code == 0);
    story->is_over = opcode == WS_CLOSE;
    buf_addf(&story->told, "%d %d %zu ", (int)opcode, code, payload.len);
    buf_add(&story->told, payload);
}

static void on_fault(Ws *ws, uint16_t code, const char *reason) {
    Story *story = story_of(ws);
    ensure(!story->is_over);
    ensure(code == WS_CODE_PROTOCOL || (code >= WS_CODE_UTF8 && code <= WS_CODE_TOO_BIG));
    ensure(strlen(reason) <= 123);
    story->is_over = true;
    buf_addf(&story->told, "fault %d %s", code, reason);
}

/* Pieces of 1 to `piece_max` bytes, their lengths drawn from `piece_max` too. */
static void feed_pieces(Story *story, WsPool *pool, Str bytes, size_t piece_max) {
    uint32_t random = (uint32_t)piece_max;
    while (bytes.len > 0) {
        random = random * 1664525 + 1013904223;
        size_t n = 1 + (random >> 16) % piece_max;
        if (n > bytes.len) n = bytes.len;
        ws_feed(&story->ws, pool, str_make(bytes.data, n));
        ensure(!story->is_over || story->ws.context == NULL);
        bytes = str_make(bytes.data + n, bytes.len - n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const WsHandler handler = {on_frame, on_fault};
    static const WsLimits limits = {MESSAGE_MAX, FRAGMENTS_MAX, 1};
    if (size < 1) return 0;
    Str bytes = str_make((const char *)data + 1, size - 1);
    WsPool pool;
    Story whole = {.told = BUF_NONE}, pieces = {.told = BUF_NONE};
    ws_pool_init(&pool, &limits, &handler);
    ws_init(&whole.ws);
    ws_init(&pieces.ws);
    ws_feed(&whole.ws, &pool, bytes);
    feed_pieces(&pieces, &pool, bytes, (size_t)data[0] + 1);
    ensure(str_equal(buf_str(&whole.told), buf_str(&pieces.told)));
    ensure((whole.ws.context == NULL) == (pieces.ws.context == NULL));
    ws_deinit(&whole.ws);
    ws_deinit(&pieces.ws);
    ensure(pool.free_count <= limits.pool_max);
    ws_pool_deinit(&pool);
    buf_deinit(&whole.told);
    buf_deinit(&pieces.told);
    return 0;
}
