/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/message.h"

#include "base/buf.h"
#include "base/ensure.h"
#include "base/json.h"
#include "hub/notice.h"

void message_init(Message *message, const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT],
                  const MessageSpec *spec) {
    Buf name = BUF_NONE;
    json_encode_string(spec->event, &name);
    MessageParts parts = {.event = buf_str(&name), .attributes = spec->attributes, .ack = spec->ack};
    if (spec->has_id) parts.id = STR("??????????????????????"); /* holds its place */
    message->encoders = encoders;
    message->key = spec->key;
    message->ends_ms = spec->ends_ms;
    atomic_init(&message->frames[0], encoders[0](&parts, &message->parts));
    for (int i = 1; i < MESSAGE_TRANSPORT_COUNT; i++) atomic_init(&message->frames[i], NULL);
    buf_deinit(&name);
}

void message_set_id(Message *message, const char id[MESSAGE_ID_LEN]) {
    ensure(message->parts.id.len == MESSAGE_ID_LEN);
    memcpy((char *)(uintptr_t)message->parts.id.data, id, MESSAGE_ID_LEN);
}

void message_deinit(Message *message) {
    for (int i = 0; i < MESSAGE_TRANSPORT_COUNT; i++) {
        bytes_release(atomic_load_explicit(&message->frames[i], memory_order_acquire));
    }
}

const Message *message_retain(const Message *message) {
    notice_retain(message->notice);
    return message;
}

void message_release(const Message *message) {
    notice_release(message->notice);
}

/* Two threads may make it at once; the slower one throws its own away. */
Bytes *message_encode(Message *message, MessageTransport transport) {
    Bytes *made = message->encoders[transport](&message->parts, NULL);
    Bytes *there = NULL;
    if (atomic_compare_exchange_strong_explicit(&message->frames[transport], &there, made,
                                                memory_order_acq_rel, memory_order_acquire)) {
        return made;
    }
    bytes_release(made);
    return there;
}
