/* SPDX-License-Identifier: Apache-2.0
 *
 * space: a namespace of Socket.IO on one worker, other than the main one: its name, kept once for all its
 * sessions, and the frame of the last event in it, which they share. Counted; worker's thread only.
 */
#ifndef NET_SPACE_H
#define NET_SPACE_H

#include "hub/message.h"
#include "net/net.h"

typedef struct Space Space;

Space *space_retain(Net *net, Str name); /* makes it when it is not there; gives one reference */
void space_release(Space *space);        /* takes one */
Str space_name(const Space *space);

/* The frame of the message in this namespace. Borrows until the next message. */
Bytes *space_frame(Space *space, const Message *message);

#endif
