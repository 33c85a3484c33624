/* SPDX-License-Identifier: Apache-2.0 */
#include "api/sending.h"

#include "api/api_event.h"
#include "api/lua_args.h"
#include "base/json.h"
#include "socketio/lane.h"

bool sending_is_impossible(lua_State *L, const Session *session, int index) {
    return check_event(L, index)->binary_count > 0 && lane_of(session) == NULL;
}

/* stack: ..., the list */
static bool send_binaries(lua_State *L, Session *session, uint32_t count) {
    bool is_open = true;
    for (uint32_t i = 0; is_open && i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        is_open = lane_send_binary(lane_of(session), check_str(L, -1));
        lua_pop(L, 1);
    }
    return is_open;
}

bool sending_send(lua_State *L, Session *session, int index, const SendingOptions *options) {
    const Event *event = check_event(L, index);
    Buf name = BUF_NONE;
    json_encode_string(event->name, &name);
    MessageParts parts = {.event = buf_str(&name),
                          .attributes = event->attributes,
                          .ack = options->ack,
                          .id = options->id,
                          .ask = options->ask,
                          .binary_count = event->binary_count,
                          .is_spread = event->is_spread};
    bool is_sent = session_send(session, &parts);
    buf_deinit(&name);
    if (!is_sent || event->binary_count == 0) return is_sent;
    push_binaries(L, index);
    is_sent = send_binaries(L, session, event->binary_count);
    lua_pop(L, 1);
    return is_sent;
}
