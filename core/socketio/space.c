/* SPDX-License-Identifier: Apache-2.0 */
#include "socketio/space.h"

#include "base/mem.h"
#include "socketio/sio.h"

struct Space {
    List link; /* in engines->spaces */
    uint32_t refs;
    Bytes *name;
    Bytes *base; /* a frame of the message that `frame` is of, by which it is known; NULL: none yet */
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
    Bytes *base = message_frame(message, MESSAGE_WS);
    if (space->base == base) return space->frame;
    bytes_release(space->base);
    bytes_release(space->frame);
    space->base = bytes_retain(base);
    space->frame = sio_encode_event(&message->parts, bytes_str(space->name));
    return space->frame;
}
