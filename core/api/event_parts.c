/* SPDX-License-Identifier: Apache-2.0 */
#include "api/event_parts.h"

#include "base/json.h"
#include "base/text.h"
#include "socketio/sio.h"

enum { NAME_MAX = 255 };

const char *event_parts_name_fault(Str name) {
    if (name.len == 0) return "the event's name is empty";
    if (name.len > NAME_MAX) return "the event's name is longer than 255 bytes";
    if (!text_is_utf8(name)) return "the event's name is not UTF-8";
    return NULL;
}

bool event_parts_is_reserved(Str name) {
    if (str_has_prefix(name, STR("chatty:"))) return true;
    for (size_t i = 0; i < SIO_RESERVED_COUNT; i++) {
        if (str_equal(name, sio_reserved[i])) return true;
    }
    return false;
}

Str event_parts_text(Str raw, Buf *decoded) {
    Str text = str_make(raw.data + 1, raw.len - 2);
    if (memchr(text.data, '\\', text.len) == NULL) return text;
    json_decode_string(raw, decoded);
    return buf_str(decoded);
}

/* Gives the raw value of the name. */
static Str find_members(Str document, EventParts *parts) {
    Str name = STR_NONE;
    JsonWalk walk = json_walk(document);
    Str key, item;
    while (json_next(&walk, &key, &item)) {
        if (json_string_equal(key, STR("event"))) {
            name = item;
        } else if (json_string_equal(key, STR("attributes"))) {
            parts->attributes = json_type(item) == JSON_NULL ? STR_NONE : item;
        } else {
            parts->has_more = true;
            if (json_string_equal(key, STR("ack"))) parts->ack = item;
        }
    }
    return name;
}

EventFault event_parts_find(Str document, EventParts *parts) {
    *parts = (EventParts){.decoded = BUF_NONE};
    if (json_type(document) != JSON_OBJECT) {
        return (EventFault){"send an object with the members event and attributes", "event-invalid",
                            ""};
    }
    Str name = find_members(document, parts);
    if (name.len == 0) {
        return (EventFault){"add the member event with the event's name", "event-missing", "/event"};
    }
    if (json_type(name) != JSON_STRING) {
        return (EventFault){"the member event must be a string", "event-invalid", "/event"};
    }
    parts->name = event_parts_text(name, &parts->decoded);
    return (EventFault){event_parts_name_fault(parts->name), "event-invalid", "/event"};
}

void event_parts_deinit(EventParts *parts) {
    buf_deinit(&parts->decoded);
}
