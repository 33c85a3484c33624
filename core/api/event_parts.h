/* SPDX-License-Identifier: Apache-2.0
 *
 * event_parts: what stands in a document {"event", "attributes", ...} of a request or a frame, or what is wrong
 * with it. Borrows from the document, which json_check has accepted. Without state. Any thread.
 */
#ifndef API_EVENT_PARTS_H
#define API_EVENT_PARTS_H

#include "base/buf.h"

typedef struct EventFault {
    const char *message; /* NULL: nothing is wrong */
    const char *code;
    const char *pointer; /* JSON pointer, or NULL */
} EventFault;

typedef struct EventParts {
    Str name;
    Str attributes; /* raw; empty when they are not there, or null */
    Str ack;        /* raw; empty when it is not there */
    bool has_more;  /* other members than name and attributes */
    Buf decoded;    /* holds a name that was written with escapes */
} EventParts;

/* Fills `parts`, which event_parts_deinit ends, whatever the answer. Attributes may be missing. */
EventFault event_parts_find(Str document, EventParts *parts);
void event_parts_deinit(EventParts *parts);

/* The text of a raw string: within it, or in `decoded` when it has escapes. */
Str event_parts_text(Str raw, Buf *decoded);

/* Why this may not be the name of an event, or NULL. */
const char *event_parts_name_fault(Str name);

/* Whether the name belongs to the server (chatty:) or to Socket.IO. */
bool event_parts_is_reserved(Str name);

#endif
