/* SPDX-License-Identifier: Apache-2.0 */
#include "socketio/space.h"

#include "base/mem.h"
#include "net/ws.h"
#include "socketio/sio.h"

enum { HEAD_LEN = 2 /* of "42[...]" */ };

struct Space {
    List link; /* in engines->spaces */
    uint32_t refs;
    Bytes *name;
    Bytes *base; /* the frame of the main namespace that `frame` was made of; NULL: none yet */
    Bytes *frame;
};

static Space *find(const List *spaces, Str name) {
    for (List *at = spaces->next; at != spaces; at = at->next) {
        Space *space = list_entry(at, Space, link);
        if (str_equal(bytes_str(space->name), name)) return space;
    }
    return NULL;
}

Space *space_retain(List *spaces, Str name) {
    Space *space = find(spaces, name);
    if (space == NULL) {
        space = mem_zalloc(sizeof *space);
        space->name = bytes_copy(name);
        list_add(spaces, &space->link);
    }
    space->refs++;
    return space;
}

void space_release(Space *space) {
    if (--space->refs > 0) return;
    list_remove(&space->link);
    bytes_release(space->name);
    bytes_release(space->base);
    bytes_release(space->frame);
    mem_free(space);
}

Str space_name(const Space *space) {
    return bytes_str(space->name);
}

Bytes *space_frame(Space *space, const Message *message) {
    Bytes *base = message_frame(message, MESSAGE_SIO);
    if (space->base == base) return space->frame;
    WsOpcode opcode;
    Str payload = ws_payload(base, &opcode);
    SioFrame frame = {.type = SIO_EVENT, .name_space = bytes_str(space->name), .ack = SIO_NO_ACK};
    frame.data = str_make(payload.data + HEAD_LEN, payload.len - HEAD_LEN);
    bytes_release(space->base);
    bytes_release(space->frame);
    space->base = bytes_retain(base);
    space->frame = sio_encode(&frame);
    return space->frame;
}
