/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/message.h"

#include "base/buf.h"
#include "base/ensure.h"
#include "base/json.h"

/* Holds the place of an id. It stands behind the attributes, whatever they say. */
static const Str blank = {"????????????????????", MESSAGE_ID_LEN};

static uint32_t find_last(Str text, Str part) {
    for (size_t at = text.len - part.len; at > 0; at--) {
        if (memcmp(text.data + at, part.data, part.len) == 0) return (uint32_t)at;
    }
    ensure(!"an encoder left the id out");
    return 0;
}

void message_init(Message *message, const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT], Str event,
                  Str attributes, bool has_id) {
    Buf name = BUF_NONE;
    json_encode_string(event, &name);
    for (int i = 0; i < MESSAGE_TRANSPORT_COUNT; i++) {
        Bytes *frame = encoders[i](buf_str(&name), attributes, STR_NONE, has_id ? blank : STR_NONE);
        message->frames[i] = frame;
        message->id_at[i] = has_id ? find_last(bytes_str(frame), blank) : 0;
    }
    buf_deinit(&name);
}

void message_set_id(Message *message, const char id[MESSAGE_ID_LEN]) {
    for (int i = 0; i < MESSAGE_TRANSPORT_COUNT; i++) {
        ensure(message->id_at[i] > 0);
        memcpy(message->frames[i]->data + message->id_at[i], id, MESSAGE_ID_LEN);
    }
}

void message_deinit(Message *message) {
    for (int i = 0; i < MESSAGE_TRANSPORT_COUNT; i++) bytes_release(message->frames[i]);
}
