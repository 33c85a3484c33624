/* SPDX-License-Identifier: Apache-2.0
 *
 * Cuts the bytes at each NUL into messages; one that begins with 'B' is a binary. A packet that came whole
 * must be within the limits, and its text must be read again as the same.
 */
#include "base/ensure.h"
#include "base/json.h"
#include "socketio/sio.h"

enum { ATTACHMENTS_MAX = 3, DEPTH_MAX = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const SioPacket *packet) {
    SioPacket again;
    ensure(packet->type <= SIO_CONNECT_ERROR);
    ensure(packet->name_space.len > 0 && packet->name_space.data[0] == '/');
    ensure(packet->name_space.len <= SIO_NAMESPACE_MAX);
    ensure(packet->binary_count <= ATTACHMENTS_MAX);
    ensure(packet->type != SIO_ACK || packet->ack >= 0);
    ensure(packet->type != SIO_EVENT || packet->event.len > 0);
    sio_parse(packet->text, &again);
    ensure(again.type == packet->type && again.ack == packet->ack && again.count == packet->count);
    ensure(str_equal(again.arguments, packet->arguments) && str_equal(again.event, packet->event));
}

/* What was received can be sent. */
static void encode(const SioPacket *packet) {
    Buf list = BUF_NONE, items = BUF_NONE;
    buf_add_char(&items, '[');
    buf_add(&items, packet->arguments);
    buf_add_char(&items, ']');
    MessageParts parts = {.event = packet->event, .attributes = buf_str(&items)};
    sio_add_arguments(&list, &parts, true);
    Str value;
    JsonFault fault;
    ensure(json_check(buf_str(&list), DEPTH_MAX, &value, &fault) == 0);
    SioFrame frame = {packet->type, packet->name_space, packet->binary_count, packet->ack, value};
    bytes_release(sio_encode(&frame));
    buf_deinit(&list);
    buf_deinit(&items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const SioLimits limits = {ATTACHMENTS_MAX, DEPTH_MAX};
    Str rest = str_make((const char *)data, size);
    Sio sio;
    sio_init(&sio);
    bool goes_on = true;
    while (goes_on && rest.len > 0) {
        Str message;
        goes_on = str_split(rest, '\0', &message, &rest);
        bool is_binary = message.len > 0 && message.data[0] == 'B';
        SioPacket packet;
        SioFed fed = sio_feed(&sio, &limits, is_binary, message, &packet);
        if (fed == SIO_FED_PACKET) {
            check(&packet);
            encode(&packet);
        }
        if (fed == SIO_FED_FAULT) break;
    }
    sio_deinit(&sio);
    return 0;
}
