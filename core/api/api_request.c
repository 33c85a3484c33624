/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_request.h"

#include "api/api.h"
#include "api/api_event.h"
#include "api/api_query.h"
#include "api/api_socket.h"
#include "api/arrival.h"
#include "api/lua_args.h"
#include "data/secret.h"
#include "net/exchange.h"
#include "net/handshake.h"

static const char request_type[] = "core.request";

enum { HEADERS_MAX = 64 };

bool request_is_plain(const Request *request) {
    static const Str json = {"application/json", 16};
    bool is_typed = request->body.len == 0;
    for (uint32_t i = 0; i < request->header_count; i++) {
        Str name = request->headers[i].name, value = request->headers[i].value;
        if (str_equal(name, STR("content-type"))) {
            if (!str_equal(value, json)) return false;
            is_typed = true;
        } else if (str_equal(name, STR("accept"))) {
            if (!str_equal(value, STR("*/*")) && !str_equal(value, json)) return false;
        } else if (str_equal(name, STR("origin")) || str_equal(name, STR("idempotency-key"))) {
            return false;
        }
    }
    return is_typed;
}

void push_request(lua_State *L, Request *request) {
    RequestBox *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (RequestBox){.type = request_type, .request = request};
    luaL_setmetatable(L, request_type);
}

static const char internal_error[] =
    "{\"errors\":[{\"status\":\"500\",\"code\":\"internal\",\"title\":\"Internal Server Error\","
    "\"detail\":\"The handler of this request failed. The server's log says why.\"}]}";

void on_request_end(void *context) {
    RequestBox *proxy = context;
    const RequestBox box = *proxy; /* what runs from here on may collect the proxy */
    proxy->request = NULL;
    if (!box.was_answered) {
        Header header = {STR("Content-Type"), STR("application/json")};
        Reply reply = {.status = 500, .headers = &header, .header_count = 1};
        reply.body = str_make(internal_error, sizeof internal_error - 1);
        exchange_reply(box.request, &reply);
    }
    request_free(box.request);
    if (box.opened != NULL) box.on_end(box.opened);
}

RequestBox *check_request_box(lua_State *L, int arg) {
    RequestBox *box = check_typed(L, arg, request_type);
    luaL_argcheck(L, box->request != NULL, arg, "the request is over: its handler has returned");
    return box;
}

static RequestBox *check_box(lua_State *L) {
    return check_request_box(L, 1);
}

static Request *check_request(lua_State *L) {
    return check_box(L)->request;
}

/* stack: request, value */
static int f_remember(lua_State *L) {
    const Request *request = check_request(L);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    lines_keep(&api_of(L)->lines, L, request->line);
    return 0;
}

static int f_query(lua_State *L) {
    push_str(L, check_request(L)->query);
    return 1;
}

/* stack: request, names... */
static int f_parameters(lua_State *L) {
    return push_parameters(L, check_request(L)->query, 2);
}

static int f_target(lua_State *L) {
    push_str(L, check_request(L)->target);
    return 1;
}

static int f_header(lua_State *L) {
    Str value;
    if (!request_find_header(check_request(L), check_str(L, 2), &value)) return 0;
    push_str(L, value);
    return 1;
}

/* RFC 6750 2.1; the name of the scheme in any case (RFC 9110 11.1). */
static bool find_bearer(Request *request, Str *text) {
    static const Str scheme = {"bearer", 6};
    Str value;
    if (!request_find_header(request, STR("authorization"), &value)) return false;
    if (value.len < scheme.len) return false;
    Str rest = str_make(value.data + scheme.len, value.len - scheme.len);
    if (!str_equal_nocase(str_make(value.data, scheme.len), scheme)) return false;
    if (rest.len > 0 && rest.data[0] != ' ') return false;
    *text = str_trim(rest);
    return true;
}

static int f_bearer(lua_State *L) {
    Str text;
    if (!find_bearer(check_request(L), &text)) return 0;
    push_str(L, text);
    return 1;
}

/* Looks at all of them, so that the time tells nothing. stack: ..., keys at 2 */
static bool is_key(lua_State *L, Str text) {
    bool is_found = false;
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
        if (secret_equal(text, check_str(L, -1))) is_found = true;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return is_found;
}

/* stack: request, keys */
static int f_has_key(lua_State *L) {
    Request *request = check_request(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    Str text;
    bool is_found = find_bearer(request, &text) && is_key(L, text);
    if (!is_found) is_found = request_find_header(request, STR("x-api-key"), &text) && is_key(L, text);
    lua_pushboolean(L, is_found);
    return 1;
}

static int f_headers(lua_State *L) {
    Request *request = check_request(L);
    lua_createtable(L, 0, (int)request->header_count);
    for (uint32_t i = 0; i < request->header_count; i++) {
        Str value;
        if (!request_find_header(request, request->headers[i].name, &value)) continue;
        push_str(L, request->headers[i].name);
        push_str(L, value);
        lua_rawset(L, -3);
    }
    return 1;
}

static int f_body(lua_State *L) {
    push_str(L, buf_str(&check_request(L)->body));
    return 1;
}

static int f_body_size(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)check_request(L)->body.len);
    return 1;
}

static int f_remote(lua_State *L) {
    char remote[ADDRESS_TEXT_MAX];
    address_format(check_request(L)->remote, remote);
    lua_pushstring(L, remote);
    return 1;
}

static int f_is_upgrade(lua_State *L) {
    lua_pushboolean(L, check_request(L)->is_upgrade);
    return 1;
}

static int f_event(lua_State *L) {
    return push_event_of_body(L, &check_request(L)->body);
}

/* A list at `arg`: name, value, name, value ... */
static size_t check_headers(lua_State *L, int arg, Header headers[HEADERS_MAX]) {
    luaL_checktype(L, arg, LUA_TTABLE);
    size_t count = lua_rawlen(L, arg) / 2;
    luaL_argcheck(L, count <= HEADERS_MAX, arg, "too many headers");
    luaL_checkstack(L, (int)count * 2, NULL);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i * 2 + 1);
        lua_rawgeti(L, arg, (lua_Integer)i * 2 + 2);
        headers[i] = (Header){check_str(L, -2), check_str(L, -1)};
        for (size_t k = 0; k < headers[i].value.len; k++) {
            char c = headers[i].value.data[k];
            luaL_argcheck(L, c != '\r' && c != '\n' && c != '\0', arg, "a line break in a header");
        }
    }
    return count;
}

static int f_reply(lua_State *L) {
    RequestBox *box = check_box(L);
    lua_Integer status = luaL_checkinteger(L, 2);
    luaL_argcheck(L, status >= 200 && status <= 599, 2, "a status from 200 to 599");
    Str body = opt_str(L, 4);
    Header headers[HEADERS_MAX];
    Reply reply = {.status = (int)status, .headers = headers, .body = body};
    if (lua_type(L, 3) == LUA_TSTRING) {
        reply.lines = check_str(L, 3);
    } else {
        reply.header_count = check_headers(L, 3, headers);
    }
    bool is_first = !box->was_answered;
    box->was_answered = true;
    lua_pushboolean(L, is_first && box->request->exchange != NULL);
    if (is_first) exchange_reply(box->request, &reply);
    return 1;
}

static int f_handshake_fault(lua_State *L) {
    HttpFault fault;
    if (handshake_check(check_request(L), &fault)) return 0;
    lua_pushinteger(L, fault.status);
    lua_pushstring(L, fault.code);
    lua_pushstring(L, fault.detail);
    return 3;
}

static int f_offers(lua_State *L) {
    lua_pushboolean(L, handshake_offers(check_request(L), check_str(L, 2)));
    return 1;
}

static int f_open_session(lua_State *L) {
    RequestBox *box = check_box(L);
    Str protocol = opt_str(L, 2);
    box->was_answered = true;
    return arrival_push_session(L, box, protocol);
}

/* stack: request, headers */
static int f_open_stream(lua_State *L) {
    RequestBox *box = check_box(L);
    Header headers[HEADERS_MAX];
    size_t header_count = check_headers(L, 2, headers);
    box->was_answered = true;
    return arrival_push_stream(L, box, headers, header_count);
}

/* stack: request, handler, protocol */
static int f_open_socket(lua_State *L) {
    RequestBox *box = check_box(L);
    luaL_checkany(L, 2);
    Str protocol = opt_str(L, 3);
    box->was_answered = true;
    return push_opened_socket(L, box, 2, protocol);
}

static const luaL_Reg methods[] = {
    {"remember", f_remember},
    {"query", f_query},
    {"parameters", f_parameters},
    {"target", f_target},
    {"header", f_header},
    {"bearer", f_bearer},
    {"has_key", f_has_key},
    {"headers", f_headers},
    {"body", f_body},
    {"body_size", f_body_size},
    {"remote", f_remote},
    {"is_upgrade", f_is_upgrade},
    {"event", f_event},
    {"reply", f_reply},
    {"handshake_fault", f_handshake_fault},
    {"offers", f_offers},
    {"open_session", f_open_session},
    {"open_socket", f_open_socket},
    {"open_stream", f_open_stream},
    {NULL, NULL},
};

int api_open_request(lua_State *L) {
    push_class(L, request_type, methods);
    return 1;
}
