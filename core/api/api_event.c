/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_event.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/api_json.h"
#include "api/event_parts.h"
#include "api/lua_args.h"
#include "base/json.h"
#include "base/metrics.h"
#include "socketio/sio.h"

static const char event_type[] = "core.event";
static const char finalized_type[] = "core.event, finalized"; /* those that own memory */

enum {
    ATTACHMENTS_MAX = 1000,
    ROOM_MAX = 1024 /* attributes up to this size lie in Lua's memory */
};

Event *check_event(lua_State *L, int arg) {
    return check_typed(L, arg, event_type);
}

static Event *own_event(lua_State *L) {
    return check_typed(L, 1, event_type);
}

Event *to_event(lua_State *L, int index) {
    return to_typed(L, index, event_type);
}

static int f_gc(lua_State *L) {
    Event *event = own_event(L);
    buf_deinit(&event->new_name);
    buf_deinit(&event->text);
    event->name = event->attributes = STR_NONE;
    return 0;
}

/* The event at `index` owns memory from here on. */
static void add_finalizer(lua_State *L, int index, Event *event) {
    if (event->has_finalizer) return;
    event->has_finalizer = true;
    index = lua_absindex(L, index);
    luaL_getmetatable(L, finalized_type);
    lua_setmetatable(L, index);
}

/* The collector sees an event as a few bytes, so it is told of the text, else megabytes of garbage
 * would wait for it. */
static void tell_collector(lua_State *L, const Event *event) {
    if (event->text.len >= ROOM_MAX) lua_gc(L, LUA_GCSTEP, (int)(event->text.len / ROOM_MAX));
}

/* Gives the event at `index` the memory of `text`, in which `attributes` lie, in the place of the old one. */
static void take_text(lua_State *L, int index, Buf *text, Str attributes) {
    Event *event = lua_touserdata(L, index);
    buf_deinit(&event->text);
    event->text = *text;
    event->attributes = attributes;
    add_finalizer(L, index, event);
    tell_collector(L, event);
}

/* Of the event at `index`; copies. */
static void set_attributes(lua_State *L, int index, Str raw) {
    Buf text = BUF_NONE;
    buf_add(&text, raw);
    take_text(L, index, &text, buf_str(&text));
}

static Str put(char *at, Str text) {
    if (text.len > 0) memcpy(at, text.data, text.len);
    return str_make(at, text.len);
}

/* Pushes an event; copies both. */
static Event *push_event(lua_State *L, Str name, Str attributes) {
    bool is_small = attributes.len <= ROOM_MAX;
    size_t room = name.len + (is_small ? attributes.len : 0);
    Event *event = lua_newuserdatauv(L, sizeof *event + room, 1);
    *event = (Event){.type = event_type, .new_name = BUF_NONE, .text = BUF_NONE};
    luaL_setmetatable(L, event_type);
    event->name = put(event->room, name);
    if (is_small) {
        event->attributes = put(event->room + name.len, attributes);
    } else {
        set_attributes(L, -1, attributes);
    }
    return event;
}

static int f_new(lua_State *L) {
    Str name = check_str(L, 1);
    luaL_checkany(L, 2);
    const char *fault = event_parts_name_fault(name);
    if (fault != NULL) return push_failure(L, ERR_INVALID, fault);
    push_json(L, 2); /* stack: name, attributes, raw */
    push_event(L, name, check_str(L, -1));
    return 1;
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

/* What is large keeps the memory that it has in the body. */
static void push_read_event(lua_State *L, const EventParts *parts, Buf *body) {
    if (parts->attributes.len <= ROOM_MAX) {
        push_event(L, parts->name, parts->attributes);
        return;
    }
    push_event(L, parts->name, STR_NONE);
    take_text(L, -1, body, parts->attributes);
    *body = BUF_NONE;
}

int push_event_of_body(lua_State *L, Buf *body) {
    Str document;
    JsonFault json_fault;
    EventParts parts;
    if (!check_json(L, buf_str(body), &document, &json_fault)) {
        return push_malformed(L, &json_fault);
    }
    EventFault fault = event_parts_find(document, &parts);
    if (fault.message == NULL && parts.attributes.len == 0) {
        fault = (EventFault){"add the member attributes; it may be any JSON but null",
                             "attributes-missing", "/attributes"};
    }
    if (fault.message == NULL) push_read_event(L, &parts, body);
    event_parts_deinit(&parts);
    if (fault.message != NULL) return push_fault(L, fault);
    if (parts.has_more) push_members(L, document);
    buf_deinit(body);
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
    EventFault fault = event_parts_find(document, &parts);
    if (fault.message == NULL) {
        push_event(L, parts.name, parts.attributes.len > 0 ? parts.attributes : STR("{}"));
    } else {
        push_failure(L, ERR_INVALID, fault.message);
    }
    event_parts_deinit(&parts);
    push_ack(L, parts.ack);
    return fault.message == NULL ? 2 : 4;
}

static int f_name(lua_State *L) {
    push_str(L, own_event(L)->name);
    return 1;
}

/* Of an event, or of a text. */
static int f_is_reserved(lua_State *L) {
    const Event *event = to_event(L, 1);
    lua_pushboolean(L, event_parts_is_reserved(event != NULL ? event->name : check_str(L, 1)));
    return 1;
}

static int f_rename(lua_State *L) {
    Event *event = own_event(L);
    Str name = check_str(L, 2);
    const char *fault = event_parts_name_fault(name);
    if (fault != NULL) return push_failure(L, ERR_INVALID, fault);
    add_finalizer(L, 1, event);
    buf_clear(&event->new_name);
    buf_add(&event->new_name, name);
    event->name = buf_str(&event->new_name);
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
    const Event *event = check_object(L);
    Str key = check_str(L, 2);
    luaL_checkany(L, 3);
    push_json(L, 3);
    Str item = check_str(L, -1);
    Buf text = BUF_NONE;
    json_set(event->attributes, key, item, &text);
    take_text(L, 1, &text, buf_str(&text));
    return 0;
}

static int f_remove(lua_State *L) {
    const Event *event = check_object(L);
    Str key = check_str(L, 2);
    Buf text = BUF_NONE;
    json_remove(event->attributes, key, &text);
    take_text(L, 1, &text, buf_str(&text));
    return 0;
}

static int f_replace(lua_State *L) {
    Event *event = own_event(L);
    luaL_checkany(L, 2);
    push_json(L, 2);
    set_attributes(L, 1, check_str(L, -1));
    event->is_spread = false;
    return 0;
}

static int f_copy(lua_State *L) {
    const Event *from = own_event(L);
    Event *event = push_event(L, from->name, from->attributes);
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

static Str packet_name(const SioPacket *packet, Buf *decoded) {
    if (packet->type == SIO_ACK) return STR("chatty:ack");
    bool is_string = json_type(packet->event) == JSON_STRING;
    return is_string ? event_parts_text(packet->event, decoded) : packet->event;
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

/* Makes an array of the items that the attributes of the event on top are. */
static void add_brackets(lua_State *L, const Event *event) {
    Buf text = BUF_NONE;
    buf_add_char(&text, '[');
    buf_add(&text, event->attributes);
    buf_add_char(&text, ']');
    take_text(L, -1, &text, buf_str(&text));
}

/* One argument is the attributes, none is {}, several are an array. */
bool push_event_of_packet(lua_State *L, const SioPacket *packet) {
    Buf decoded = BUF_NONE;
    Str name = packet_name(packet, &decoded);
    bool is_good = event_parts_name_fault(name) == NULL;
    if (is_good) {
        Str none = packet->type == SIO_ACK ? STR("null") : STR("{}");
        Event *event = push_event(L, name, packet->count == 0 ? none : packet->arguments);
        event->is_spread = packet->count > 1;
        if (event->is_spread) add_brackets(L, event);
        set_packet_binaries(L, event, packet);
    }
    buf_deinit(&decoded);
    return is_good;
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
    {"is_reserved", f_is_reserved},
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
    {NULL, NULL},
};

static const luaL_Reg lib[] = {
    {"new", f_new}, {"parse", f_parse}, {"read", f_read}, {"is_reserved", f_is_reserved}, {NULL, NULL}};

int api_open_event(lua_State *L) {
    push_class(L, event_type, methods);
    push_class(L, finalized_type, methods);
    lua_pushcfunction(L, f_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 2);
    luaL_newlib(L, lib);
    return 1;
}
