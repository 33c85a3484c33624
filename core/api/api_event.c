/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_event.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/api_json.h"
#include "api/lua_args.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/text.h"
#include "socketio/sio.h"

static const char event_type[] = "core.event";

enum { ATTACHMENTS_MAX = 1000 };

Event *check_event(lua_State *L, int arg) {
    return luaL_checkudata(L, arg, event_type);
}

static Event *own_event(lua_State *L) {
    return check_self(L, event_type);
}

Event *to_event(lua_State *L, int index) {
    return luaL_testudata(L, index, event_type);
}

static Event *push_event(lua_State *L) {
    Event *event = lua_newuserdatauv(L, sizeof *event, 1);
    *event = (Event){.name = BUF_NONE, .text = BUF_NONE};
    luaL_setmetatable(L, event_type);
    return event;
}

static int f_gc(lua_State *L) {
    Event *event = own_event(L);
    buf_deinit(&event->name);
    buf_deinit(&event->text);
    event->attributes = STR_NONE;
    return 0;
}

static const char *fault_of_name(Str name) {
    if (name.len == 0) return "the event's name is empty";
    if (name.len > EVENT_NAME_MAX) return "the event's name is longer than 255 bytes";
    if (!text_is_utf8(name)) return "the event's name is not UTF-8";
    return NULL;
}

/* The collector sees an event as a few bytes, so it is told of the text, else megabytes of garbage
 * would wait for it. */
static void tell_collector(lua_State *L, const Event *event) {
    if (event->text.len >= 1024) lua_gc(L, LUA_GCSTEP, (int)(event->text.len / 1024));
}

/* Puts the text, raw JSON of the attributes, in the place of the old one. */
static void take_text(lua_State *L, Event *event, Buf *text) {
    buf_deinit(&event->text);
    event->text = *text;
    event->attributes = buf_str(&event->text);
    tell_collector(L, event);
}

static void set_attributes(lua_State *L, Event *event, Str raw) {
    Buf text = BUF_NONE;
    buf_add(&text, raw);
    take_text(L, event, &text);
}

static int f_new(lua_State *L) {
    Str name = check_str(L, 1);
    luaL_checkany(L, 2);
    const char *fault = fault_of_name(name);
    if (fault != NULL) return push_failure(L, ERR_INVALID, fault);
    Event *event = push_event(L);
    buf_add(&event->name, name);
    push_json(L, 2); /* stack: name, attributes, event, raw */
    set_attributes(L, event, check_str(L, -1));
    lua_pop(L, 1);
    return 1;
}

/* What is wrong with a document {"event", "attributes"}. */
typedef struct EventFault {
    const char *message;
    const char *code;
    const char *pointer; /* JSON pointer, or NULL */
} EventFault;

typedef struct EventParts {
    Str name; /* raw string */
    Str attributes;
    Str ack;
    bool has_more; /* other members than name and attributes */
} EventParts;

static EventFault find_parts(Str document, EventParts *parts) {
    *parts = (EventParts){.has_more = false};
    if (json_type(document) != JSON_OBJECT) {
        return (EventFault){"send an object with the members event and attributes", "event-invalid",
                            ""};
    }
    JsonWalk walk = json_walk(document);
    Str key;
    Str item;
    while (json_next(&walk, &key, &item)) {
        if (json_string_equal(key, STR("event"))) {
            parts->name = item;
        } else if (json_string_equal(key, STR("attributes"))) {
            parts->attributes = item;
        } else {
            parts->has_more = true;
            if (json_string_equal(key, STR("ack"))) parts->ack = item;
        }
    }
    if (parts->name.len == 0) {
        return (EventFault){"add the member event with the event's name", "event-missing", "/event"};
    }
    if (json_type(parts->name) != JSON_STRING) {
        return (EventFault){"the member event must be a string", "event-invalid", "/event"};
    }
    return (EventFault){NULL, NULL, NULL};
}

static EventFault read_name(Str raw, Buf *name) {
    json_decode_string(raw, name);
    const char *fault = fault_of_name(buf_str(name));
    return (EventFault){fault, "event-invalid", "/event"};
}

static int push_fault(lua_State *L, EventFault fault) {
    lua_pushnil(L);
    lua_pushstring(L, fault.message);
    lua_pushstring(L, fault.code);
    lua_pushstring(L, fault.pointer);
    return 4;
}

static int push_malformed(lua_State *L, const JsonFault *fault) {
    lua_pushnil(L);
    lua_pushfstring(L, "the body is not valid JSON: %s at byte %d", fault->message, (int)fault->offset);
    lua_pushliteral(L, "body-malformed");
    return 3;
}

static bool check_json(lua_State *L, Str text, Str *document, JsonFault *fault) {
    int err = json_check(text, api_json_depth(L), document, fault);
    if (err == ERR_LIMIT) metrics_add(METRIC_limit_hits_total, 1);
    return err == 0;
}

static bool is_missing(Str attributes) {
    return attributes.len == 0 || json_type(attributes) == JSON_NULL;
}

/* Pushes the members of the document other than name and attributes, decoded. */
static void push_members(lua_State *L, Str document) {
    lua_newtable(L);
    JsonWalk walk = json_walk(document);
    Str key;
    Str item;
    while (json_next(&walk, &key, &item)) {
        if (json_string_equal(key, STR("event")) || json_string_equal(key, STR("attributes"))) continue;
        push_decoded(L, key);
        push_decoded(L, item);
        lua_rawset(L, -3);
    }
}

int push_event_of_body(lua_State *L, Buf *body) {
    Str document;
    JsonFault json_fault;
    EventParts parts;
    if (!check_json(L, buf_str(body), &document, &json_fault)) {
        return push_malformed(L, &json_fault);
    }
    EventFault fault = find_parts(document, &parts);
    if (fault.message != NULL) return push_fault(L, fault);
    Event *event = push_event(L);
    fault = read_name(parts.name, &event->name);
    if (fault.message == NULL && is_missing(parts.attributes)) {
        fault = (EventFault){"add the member attributes; it may be any JSON but null",
                             "attributes-missing", "/attributes"};
    }
    if (fault.message != NULL) return push_fault(L, fault);
    if (parts.has_more) push_members(L, document);
    event->text = *body;
    event->attributes = parts.attributes;
    *body = BUF_NONE;
    tell_collector(L, event);
    return parts.has_more ? 2 : 1;
}

/* stack: text */
static int f_read(lua_State *L) {
    Buf body = BUF_NONE;
    buf_add(&body, check_str(L, 1));
    int count = push_event_of_body(L, &body);
    buf_deinit(&body);
    return count;
}

/* The ack as it came; nil when there is none, or none that is answered. */
static void push_ack(lua_State *L, Str ack) {
    JsonType type = ack.len > 0 ? json_type(ack) : JSON_NULL;
    if (type == JSON_NUMBER || type == JSON_STRING) {
        push_str(L, ack);
    } else {
        lua_pushnil(L);
    }
}

/* stack: text */
static int f_parse(lua_State *L) {
    Str text = check_str(L, 1);
    Str document;
    JsonFault json_fault;
    EventParts parts;
    if (!check_json(L, text, &document, &json_fault)) {
        lua_pushnil(L);
        lua_pushfstring(L, "the frame is not valid JSON: %s at byte %d", json_fault.message,
                        (int)json_fault.offset);
        lua_pushliteral(L, "INVALID");
        return 3;
    }
    EventFault fault = find_parts(document, &parts);
    Event *event = push_event(L);
    if (fault.message == NULL) fault = read_name(parts.name, &event->name);
    if (fault.message != NULL) {
        push_failure(L, ERR_INVALID, fault.message);
        push_ack(L, parts.ack);
        return 4;
    }
    set_attributes(L, event, is_missing(parts.attributes) ? STR("{}") : parts.attributes);
    push_ack(L, parts.ack);
    return 2;
}

static int f_name(lua_State *L) {
    push_str(L, buf_str(&own_event(L)->name));
    return 1;
}

static int f_rename(lua_State *L) {
    Event *event = own_event(L);
    Str name = check_str(L, 2);
    const char *fault = fault_of_name(name);
    if (fault != NULL) return push_failure(L, ERR_INVALID, fault);
    buf_clear(&event->name);
    buf_add(&event->name, name);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_raw(lua_State *L) {
    push_str(L, own_event(L)->attributes);
    return 1;
}

static int f_is_object(lua_State *L) {
    lua_pushboolean(L, json_type(own_event(L)->attributes) == JSON_OBJECT);
    return 1;
}

static Event *check_object(lua_State *L) {
    Event *event = own_event(L);
    if (json_type(event->attributes) != JSON_OBJECT) {
        luaL_error(L, "the event's attributes are no object, so they have no members");
    }
    return event;
}

static int f_get(lua_State *L) {
    Event *event = own_event(L);
    Str key = check_str(L, 2);
    Str item;
    if (json_type(event->attributes) != JSON_OBJECT) return 0;
    if (!json_find(event->attributes, key, &item)) return 0;
    push_decoded(L, item);
    return 1;
}

/* stack: event, key, value */
static int f_set(lua_State *L) {
    Event *event = check_object(L);
    Str key = check_str(L, 2);
    luaL_checkany(L, 3);
    push_json(L, 3);
    Str item = check_str(L, -1);
    Buf text = BUF_NONE;
    json_set(event->attributes, key, item, &text);
    take_text(L, event, &text);
    return 0;
}

static int f_remove(lua_State *L) {
    Event *event = check_object(L);
    Str key = check_str(L, 2);
    Buf text = BUF_NONE;
    json_remove(event->attributes, key, &text);
    take_text(L, event, &text);
    return 0;
}

static int f_replace(lua_State *L) {
    Event *event = own_event(L);
    luaL_checkany(L, 2);
    push_json(L, 2);
    set_attributes(L, event, check_str(L, -1));
    event->is_spread = false;
    return 0;
}

static int f_copy(lua_State *L) {
    Event *from = own_event(L);
    Event *event = push_event(L);
    buf_add(&event->name, buf_str(&from->name));
    set_attributes(L, event, from->attributes);
    event->is_spread = from->is_spread;
    event->binary_count = from->binary_count;
    push_binaries(L, 1);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

void push_binaries(lua_State *L, int index) {
    lua_getiuservalue(L, index, 1);
}

static int f_binaries(lua_State *L) {
    check_event(L, 1);
    push_binaries(L, 1);
    return 1;
}

/* stack: event, list */
static int f_set_binaries(lua_State *L) {
    Event *event = check_event(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t count = lua_rawlen(L, 2);
    luaL_argcheck(L, count <= ATTACHMENTS_MAX, 2, "at most 1000 binaries");
    lua_createtable(L, (int)count, 0);
    for (size_t i = 1; i <= count; i++) {
        if (lua_rawgeti(L, 2, (lua_Integer)i) != LUA_TSTRING) luaL_argerror(L, 2, "a list of strings");
        lua_rawseti(L, -2, (lua_Integer)i);
    }
    lua_setiuservalue(L, 1, 1);
    event->binary_count = (uint32_t)count;
    return 0;
}

static int f_is_spread(lua_State *L) {
    lua_pushboolean(L, check_event(L, 1)->is_spread);
    return 1;
}

/* stack: event; the attributes become arguments */
static int f_spread(lua_State *L) {
    Event *event = check_event(L, 1);
    luaL_argcheck(L, json_type(event->attributes) == JSON_ARRAY, 1, "attributes that are an array");
    event->is_spread = true;
    return 0;
}

static bool read_packet_name(const SioPacket *packet, Buf *name) {
    if (packet->type == SIO_ACK) {
        buf_add(name, STR("chatty:ack"));
    } else if (json_type(packet->event) == JSON_STRING) {
        json_decode_string(packet->event, name);
    } else {
        buf_add(name, packet->event);
    }
    return fault_of_name(buf_str(name)) == NULL;
}

/* stack: -> event */
static void set_packet_binaries(lua_State *L, Event *event, const SioPacket *packet) {
    event->binary_count = packet->binary_count;
    if (packet->binary_count == 0) return;
    lua_createtable(L, (int)packet->binary_count, 0);
    for (uint32_t i = 0; i < packet->binary_count; i++) {
        push_str(L, packet->binaries[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setiuservalue(L, -2, 1);
}

/* One argument is the attributes, none is {}, several are an array. */
bool push_event_of_packet(lua_State *L, const SioPacket *packet) {
    Event *event = push_event(L);
    if (!read_packet_name(packet, &event->name)) {
        lua_pop(L, 1);
        return false;
    }
    Str none = packet->type == SIO_ACK ? STR("null") : STR("{}");
    Buf text = BUF_NONE;
    event->is_spread = packet->count > 1;
    if (event->is_spread) buf_add_char(&text, '[');
    buf_add(&text, packet->count > 0 ? packet->arguments : none);
    if (event->is_spread) buf_add_char(&text, ']');
    take_text(L, event, &text);
    set_packet_binaries(L, event, packet);
    return true;
}

static int f_size(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)own_event(L)->attributes.len);
    return 1;
}

static int f_attributes(lua_State *L) {
    push_decoded(L, own_event(L)->attributes);
    return 1;
}

static const luaL_Reg methods[] = {
    {"name", f_name},
    {"rename", f_rename},
    {"raw", f_raw},
    {"is_object", f_is_object},
    {"get", f_get},
    {"set", f_set},
    {"remove", f_remove},
    {"replace", f_replace},
    {"copy", f_copy},
    {"binaries", f_binaries},
    {"set_binaries", f_set_binaries},
    {"is_spread", f_is_spread},
    {"spread", f_spread},
    {"size", f_size},
    {"attributes", f_attributes},
    {"__gc", f_gc},
    {NULL, NULL},
};

static const luaL_Reg lib[] = {{"new", f_new}, {"parse", f_parse}, {"read", f_read}, {NULL, NULL}};

int api_open_event(lua_State *L) {
    push_class(L, event_type, methods);
    lua_pop(L, 1);
    luaL_newlib(L, lib);
    return 1;
}
