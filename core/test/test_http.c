/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include "test/test.h"

/* What the parser's callbacks have seen and shall do. */
typedef struct Probe {
    int headers_refuse; /* status to refuse with; 0: go on */
    int body_refuse;
    lua_Integer continues;
    lua_Integer announced;
} Probe;

static bool decide(int status, HttpFault *fault) {
    if (status == 0) return true;
    *fault = (HttpFault){.status = status, .code = "refused", .detail = "As the spec wishes."};
    return false;
}

static bool on_headers(void *context, Request *request, uint64_t body_bytes, bool expects_continue,
                       HttpFault *fault) {
    Probe *probe = context;
    (void)request;
    probe->announced += (lua_Integer)body_bytes;
    probe->continues += expects_continue;
    return decide(probe->headers_refuse, fault);
}

static bool on_body(void *context, Request *request, size_t more, HttpFault *fault) {
    Probe *probe = context;
    (void)request;
    (void)more;
    return decide(probe->body_refuse, fault);
}

static const HttpHandler handler = {on_headers, on_body};

static lua_Integer opt_field(lua_State *L, int index, const char *name, lua_Integer otherwise) {
    lua_getfield(L, index, name);
    lua_Integer value = luaL_optinteger(L, -1, otherwise);
    lua_pop(L, 1);
    return value;
}

static void set_str(lua_State *L, const char *name, Str value) {
    lua_pushlstring(L, value.data, value.len);
    lua_setfield(L, -2, name);
}

static void set_bool(lua_State *L, const char *name, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

static void set_int(lua_State *L, const char *name, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

/* Pushes the headers: each name with its values joined. */
static void push_headers(lua_State *L, Request *request) {
    lua_newtable(L);
    for (uint32_t i = 0; i < request->header_count; i++) {
        Str name = request->headers[i].name, value;
        if (!request_find_header(request, name, &value)) continue;
        lua_pushlstring(L, name.data, name.len);
        lua_pushlstring(L, value.data, value.len);
        lua_rawset(L, -3);
    }
}

static void push_request(lua_State *L, Request *request) {
    lua_newtable(L);
    set_str(L, "method", request->method);
    set_str(L, "target", request->target);
    set_str(L, "path", request->path);
    set_str(L, "query", request->query);
    set_str(L, "body", buf_str(&request->body));
    set_int(L, "version_minor", request->version_minor);
    set_int(L, "header_count", request->header_count);
    set_bool(L, "is_keep_alive", request->is_keep_alive);
    set_bool(L, "is_head", request->is_head);
    set_bool(L, "is_upgrade", request->is_upgrade);
    push_headers(L, request);
    lua_setfield(L, -2, "headers");
}

/* stack: pieces, limits, result, requests. Feeds one piece; false after a fault. */
static bool feed_piece(lua_State *L, Http *http, Str piece, lua_Integer *taken_total) {
    HttpFed fed;
    do {
        size_t taken;
        fed = http_feed(http, piece, &taken);
        *taken_total += (lua_Integer)taken;
        piece = str_make(piece.data + taken, piece.len - taken);
        if (fed != FED_REQUEST) continue;
        Request *request = http_take_request(http);
        push_request(L, request);
        lua_rawseti(L, 4, (lua_Integer)lua_rawlen(L, 4) + 1);
        request_free(request);
    } while (fed == FED_REQUEST && piece.len > 0);
    return fed != FED_FAULT;
}

static void push_fault(lua_State *L, const HttpFault *fault) {
    lua_newtable(L);
    set_int(L, "status", fault->status);
    set_str(L, "code", str_of(fault->code));
    set_str(L, "detail", str_of(fault->detail));
}

static HttpLimits check_limits(lua_State *L, int index) {
    return (HttpLimits){
        .header_bytes_max = (uint32_t)opt_field(L, index, "header_bytes_max", 16384),
        .url_bytes_max = (uint32_t)opt_field(L, index, "url_bytes_max", 8192),
        .headers_max = (uint32_t)opt_field(L, index, "headers_max", 100),
        .body_bytes_max = (uint64_t)opt_field(L, index, "body_bytes_max", 1 << 20),
    };
}

/* feed(pieces, options): feeds the strings in `pieces` one after the other to a new parser, up to a
 * fault, and tells what came of it: { requests, fault or nil, taken, continues, announced, is_busy,
 * is_in_body }. Options are the HttpLimits, and headers_refuse and body_refuse: a status. */
static int f_feed(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    HttpLimits limits = check_limits(L, 2);
    Probe probe = {.headers_refuse = (int)opt_field(L, 2, "headers_refuse", 0),
                   .body_refuse = (int)opt_field(L, 2, "body_refuse", 0)};
    lua_newtable(L);
    lua_newtable(L);
    Http *http = http_new(&limits, &handler, &probe);
    lua_Integer taken = 0;
    bool is_good = true;
    for (lua_Integer i = 1; is_good && lua_rawgeti(L, 1, i) == LUA_TSTRING; i++) {
        size_t len;
        const char *data = lua_tolstring(L, -1, &len);
        is_good = feed_piece(L, http, str_make(data, len), &taken);
        lua_pop(L, 1);
    }
    lua_settop(L, 4);
    lua_setfield(L, 3, "requests");
    if (!is_good) {
        push_fault(L, http_fault(http));
        lua_setfield(L, 3, "fault");
    }
    set_int(L, "taken", taken);
    set_int(L, "continues", probe.continues);
    set_int(L, "announced", probe.announced);
    set_bool(L, "is_busy", http_is_busy(http));
    set_bool(L, "is_in_body", http_is_in_body(http));
    http_free(http);
    return 1;
}

static const luaL_Reg lib[] = {
    {"feed", f_feed},
    {NULL, NULL},
};

int test_open_http(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
