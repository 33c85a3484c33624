/* SPDX-License-Identifier: Apache-2.0
 *
 * space: a namespace of Socket.IO on one worker, other than the main one: its name, kept once for all its
 * sessions, and the frame of the last event in it, which they share. Counted; worker's thread only.
 */
#ifndef SOCKETIO_SPACE_H
#define SOCKETIO_SPACE_H

#include "base/list.h"
#include "hub/message.h"

typedef struct Space Space;

/* Makes it when it is not in `spaces`, those of the worker; gives one reference. */
Space *space_retain(List *spaces, Str name);
void space_release(Space *space); /* takes one */
Str space_name(const Space *space);

/* The frame of the message in this namespace. Borrows until the next message. */
Bytes *space_frame(Space *space, const Message *message);

#endif
