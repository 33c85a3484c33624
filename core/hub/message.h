/* SPDX-License-Identifier: Apache-2.0
 *
 * message: one event as it goes out: name and attributes, encoded once per transport into frames that
 * all its receivers share. How a frame looks is the transport's: it brings a MessageEncoder. Immutable
 * after message_init, so any thread may read it.
 */
#ifndef HUB_MESSAGE_H
#define HUB_MESSAGE_H

#include "base/bytes.h"
#include "base/str.h"

/* Encodes one event into a whole frame and gives it. `event` is a JSON string with its quotes,
 * `attributes` raw JSON, `ack` raw JSON or STR_NONE. */
typedef Bytes *(*MessageEncoder)(Str event, Str attributes, Str ack);

/* The transports with frames of their own. */
typedef enum { MESSAGE_WS, MESSAGE_TRANSPORT_COUNT } MessageTransport;

typedef struct Message {
    Bytes *frames[MESSAGE_TRANSPORT_COUNT];
} Message;

/* Encodes for all transports. `event` is the plain name, `attributes` raw JSON that was checked. */
void message_init(Message *message, const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT], Str event,
                  Str attributes);
void message_deinit(Message *message);

#endif
