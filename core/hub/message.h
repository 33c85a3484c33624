/* SPDX-License-Identifier: Apache-2.0
 *
 * message: one event as it goes out: name and attributes, encoded once per transport into frames that
 * all its receivers share. How a frame looks is the transport's: it brings a MessageEncoder. Immutable
 * after message_init and message_set_id, so any thread may read it.
 */
#ifndef HUB_MESSAGE_H
#define HUB_MESSAGE_H

#include "base/bytes.h"
#include "base/str.h"

/* Encodes one event into a whole frame and gives it. `event` is a JSON string with its quotes,
 * `attributes` raw JSON, `ack` raw JSON or STR_NONE. `id` is the event's cursor or STR_NONE: letters
 * and digits, which stand in the frame as they are, once, behind the attributes. */
typedef Bytes *(*MessageEncoder)(Str event, Str attributes, Str ack, Str id);

enum { MESSAGE_ID_LEN = 20 };

/* The transports with frames of their own. */
typedef enum { MESSAGE_WS, MESSAGE_TRANSPORT_COUNT } MessageTransport;

typedef struct Message {
    Bytes *frames[MESSAGE_TRANSPORT_COUNT];
    uint32_t id_at[MESSAGE_TRANSPORT_COUNT]; /* where in the frame the id stands; 0: it has none */
} Message;

/* Encodes for all transports. `event` is the plain name, `attributes` raw JSON that was checked.
 * `has_id`: the frames have room for an id, which message_set_id fills. */
void message_init(Message *message, const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT], Str event,
                  Str attributes, bool has_id);

/* The id is known only when the event's place in the order is: once, before anybody else sees the
 * message. */
void message_set_id(Message *message, const char id[MESSAGE_ID_LEN]);
void message_deinit(Message *message);

#endif
