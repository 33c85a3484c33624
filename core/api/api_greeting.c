/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_greeting.h"

#include "api/api.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

static const char greeting_type[] = "core.greeting";

enum { PIECES_MAX = 16, VALUES_ROOM = 160 /* for those of most sessions */ };

typedef enum {
    PLACE_NONE,
    PLACE_COUNT,
    PLACE_CHANNELS,
    PLACE_EXPIRES,
    PLACE_SESSION,
    PLACE_USER
} Place;

static const Str places[] = {
    [PLACE_NONE] = {"", 0},
    [PLACE_COUNT] = {"$count", 6},
    [PLACE_CHANNELS] = {"$channels", 9},
    [PLACE_EXPIRES] = {"$expires", 8},
    [PLACE_SESSION] = {"$session", 8},
    [PLACE_USER] = {"$user", 5},
};

typedef struct Piece {
    Str text; /* and behind it: */
    Place place;
} Piece;

struct Greeting {
    const char *type; /* for check_typed */
    uint32_t channels_max;
    unsigned piece_count;
    Piece pieces[PIECES_MAX];
    Str event;   /* a JSON string; in `room`, as the template is */
    size_t size; /* of the template */
    char room[];
};

/* PLACE_NONE: what begins here is none. */
static Place take_place(Str *rest) {
    Place place = PLACE_USER;
    while (!str_has_prefix(*rest, places[place])) place--;
    *rest = str_make(rest->data + places[place].len, rest->len - places[place].len);
    return place;
}

/* False: there is an unknown place, or too many. */
static bool read_template(Greeting *greeting, Str rest) {
    while (rest.len > 0 && greeting->piece_count < PIECES_MAX) {
        Piece *piece = &greeting->pieces[greeting->piece_count++];
        const char *at = memchr(rest.data, '$', rest.len);
        size_t len = at != NULL ? (size_t)(at - rest.data) : rest.len;
        piece->text = str_make(rest.data, len);
        rest = str_make(rest.data + len, rest.len - len);
        piece->place = take_place(&rest);
        if (rest.len > 0 && piece->place == PLACE_NONE) return false;
    }
    return rest.len == 0;
}

/* stack: event, template, channels_max */
static int f_new(lua_State *L) {
    Str template = check_str(L, 2);
    lua_Integer channels_max = luaL_checkinteger(L, 3);
    luaL_argcheck(L, channels_max >= 0 && channels_max <= UINT32_MAX, 3, "a number of channels");
    Buf event = BUF_NONE;
    json_encode_string(check_str(L, 1), &event);
    Greeting *greeting = lua_newuserdatauv(L, sizeof *greeting + event.len + template.len, 0);
    *greeting =
        (Greeting){.type = greeting_type, .channels_max = (uint32_t)channels_max, .size = template.len};
    memcpy(greeting->room, event.data, event.len);
    memcpy(greeting->room + event.len, template.data, template.len);
    greeting->event = str_make(greeting->room, event.len);
    template.data = greeting->room + event.len;
    buf_deinit(&event);
    luaL_argcheck(L, read_template(greeting, template), 2, "a template of known places");
    return 1;
}

const Greeting *opt_greeting(lua_State *L, int arg) {
    return lua_isnoneornil(L, arg) ? NULL : check_typed(L, arg, greeting_type);
}

static void add_channels(Buf *out, const Names *channels, uint32_t max) {
    buf_add_char(out, '[');
    for (uint32_t i = 0; i < channels->count && i < max; i++) {
        if (i > 0) buf_add_char(out, ',');
        json_encode_string(channels->items[i], out);
    }
    buf_add_char(out, ']');
}

static void add_time(Buf *out, double seconds) {
    char text[CLOCK_RFC3339_LEN + 1];
    if (seconds <= 0 || seconds >= CLOCK_RFC3339_END_S) {
        buf_add(out, STR("null"));
        return;
    }
    clock_format_rfc3339((int64_t)(seconds * 1000 + 0.5), text);
    json_encode_string(str_make(text, CLOCK_RFC3339_LEN), out);
}

static void add_count(Buf *out, uint32_t count) {
    char digits[TEXT_NUMBER_MAX];
    buf_add(out, str_make(digits, text_encode_number(count, digits)));
}

static void fill(const Greeting *greeting, Place place, const GreetingFacts *facts, Buf *out) {
    const Session *session = facts->session;
    switch (place) {
    case PLACE_NONE: break;
    case PLACE_COUNT: add_count(out, facts->channels->count); break;
    case PLACE_CHANNELS: add_channels(out, facts->channels, greeting->channels_max); break;
    case PLACE_EXPIRES: add_time(out, facts->expires_s); break;
    case PLACE_SESSION: json_encode_string(session_id(&session->subscriber), out); break;
    case PLACE_USER: json_encode_string(session_user(&session->facts), out); break;
    }
}

void greeting_send(const Greeting *greeting, const GreetingFacts *facts) {
    Buf attributes = BUF_NONE;
    buf_reserve(&attributes, greeting->size + VALUES_ROOM);
    for (unsigned i = 0; i < greeting->piece_count; i++) {
        buf_add(&attributes, greeting->pieces[i].text);
        fill(greeting, greeting->pieces[i].place, facts, &attributes);
    }
    MessageParts parts = {.event = greeting->event,
                          .attributes = buf_str(&attributes),
                          .ack = facts->ack,
                          .id = facts->id};
    session_send(facts->session, &parts);
    buf_deinit(&attributes);
}

static const luaL_Reg lib[] = {{"new", f_new}, {NULL, NULL}};

int api_open_greeting(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
