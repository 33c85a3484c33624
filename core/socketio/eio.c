/* SPDX-License-Identifier: Apache-2.0 */
#include "socketio/eio.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "net/ws.h"

enum { SEPARATOR = 0x1E, BINARY = 'b' };

bool eio_parse(Str text, EioPacket *packet) {
    if (text.len == 0 || text.data[0] < '0' || text.data[0] > '0' + EIO_NOOP) return false;
    packet->type = (EioType)(text.data[0] - '0');
    packet->is_binary = false;
    packet->data = str_make(text.data + 1, text.len - 1);
    return true;
}

EioWalk eio_walk(Str body) {
    return (EioWalk){.rest = body, .bytes = BUF_NONE};
}

static int parse_binary(EioWalk *walk, Str text, EioPacket *packet) {
    buf_clear(&walk->bytes);
    int err = base64_decode(BASE64_PADDED, str_make(text.data + 1, text.len - 1), &walk->bytes);
    if (err != 0) return err;
    *packet = (EioPacket){EIO_MESSAGE, true, buf_str(&walk->bytes)};
    return 0;
}

static int parse_text(Str text, EioPacket *packet) {
    return eio_parse(text, packet) && text_is_utf8(text) ? 0 : ERR_INVALID;
}

bool eio_next(EioWalk *walk, EioPacket *packet, int *err) {
    if (walk->is_over) return false;
    Str text;
    walk->is_over = !str_split(walk->rest, SEPARATOR, &text, &walk->rest);
    bool is_binary = text.len > 0 && text.data[0] == BINARY;
    *err = is_binary ? parse_binary(walk, text, packet) : parse_text(text, packet);
    if (*err != 0) walk->is_over = true;
    return *err == 0;
}

void eio_end(EioWalk *walk) {
    buf_deinit(&walk->bytes);
    walk->is_over = true;
}

Bytes *eio_encode(EioType type, Str data) {
    size_t len = 1 + data.len;
    size_t header_len = ws_header_len(len);
    Bytes *frame = bytes_new(header_len + len);
    ws_write_header(frame->data, WS_TEXT, len);
    frame->data[header_len] = (char)('0' + type);
    if (data.len > 0) memcpy(frame->data + header_len + 1, data.data, data.len);
    return frame;
}

static void add_packet(Buf *body, WsOpcode opcode, Str payload) {
    if (body->len > 0) buf_add_char(body, SEPARATOR);
    if (opcode == WS_BINARY) {
        buf_add_char(body, BINARY);
        base64_add(BASE64_PADDED, payload, body);
    } else {
        buf_add(body, payload);
    }
}

void eio_add_frames(Buf *body, const Bytes *frames) {
    Str rest = bytes_str(frames);
    while (rest.len > 0) {
        WsOpcode opcode;
        Str payload = ws_split(&rest, &opcode);
        add_packet(body, opcode, payload);
    }
}

Bytes *eio_encode_text(const Bytes *frame) {
    Buf text = BUF_NONE;
    eio_add_frames(&text, frame);
    Bytes *encoded = ws_encode(WS_TEXT, buf_str(&text));
    buf_deinit(&text);
    return encoded;
}

void eio_add_handshake(Buf *out, const EioHandshake *handshake) {
    buf_add(out, STR("{\"sid\":"));
    json_encode_string(handshake->sid, out);
    buf_addf(out, ",\"upgrades\":[%s],\"pingInterval\":%u,\"pingTimeout\":%u,\"maxPayload\":%u}",
             handshake->can_upgrade ? "\"websocket\"" : "", (unsigned)handshake->ping_interval_ms,
             (unsigned)handshake->ping_timeout_ms, (unsigned)handshake->payload_bytes_max);
}
