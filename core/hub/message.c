/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/message.h"

#include "base/buf.h"
#include "base/json.h"

void message_init(Message *message, const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT], Str event,
                  Str attributes) {
    Buf name = BUF_NONE;
    json_encode_string(event, &name);
    for (int i = 0; i < MESSAGE_TRANSPORT_COUNT; i++) {
        message->frames[i] = encoders[i](buf_str(&name), attributes, STR_NONE);
    }
    buf_deinit(&name);
}

void message_deinit(Message *message) {
    for (int i = 0; i < MESSAGE_TRANSPORT_COUNT; i++) bytes_release(message->frames[i]);
}
