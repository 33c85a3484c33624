/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"
#include "base/mem.h"
#include "net/http_client.h"
#include "net/http_url.h"
#include "script/task.h"

enum { URL_MAX = 8192, HEADERS_MAX = 100, TIMEOUT_MAX_S = 600 };

/* A call under way, and the handler that waits for it. */
typedef struct Calling {
    HttpCall *call;
    Wait *wait;
} Calling;

/* stack: headers (a flat list) */
static void push_headers(lua_State *L, Str text) {
    lua_newtable(L);
    Str line;
    lua_Integer count = 0;
    while (str_split(text, '\n', &line, &text)) {
        Str name;
        Str value;
        str_split(line, ':', &name, &value);
        push_str(L, str_trim(name));
        lua_rawseti(L, -2, ++count);
        push_str(L, str_trim(value));
        lua_rawseti(L, -2, ++count);
    }
}

static int push_answer(lua_State *L, void *data) {
    const HttpAnswer *answer = data;
    if (answer->error != 0) return push_failure(L, answer->error, answer->message);
    lua_pushinteger(L, answer->status);
    push_headers(L, buf_str(&answer->headers));
    push_str(L, buf_str(&answer->body));
    return 3;
}

static void on_answer(void *context, const HttpAnswer *answer) {
    Calling *calling = context;
    Wait *wait = calling->wait;
    mem_free(calling);
    HttpAnswer copy = *answer;
    task_wake(wait, push_answer, &copy);
}

static void on_cancel(void *holder) {
    Calling *calling = holder;
    HttpAnswer answer = {.error = ERR_CANCELED};
    http_client_cancel(calling->call);
    on_answer(calling, &answer);
}

static HttpClient *check_client(lua_State *L) {
    const Api *api = api_of(L);
    if (api->http == NULL || api->net == NULL) luaL_error(L, "this function needs a running server");
    return api->http;
}

/* The array is a userdata that is left on the stack. */
static void check_headers(lua_State *L, HttpQuery *query) {
    size_t count;
    const Str *items = check_field_list(L, 1, "headers", &count);
    luaL_argcheck(L, count % 2 == 0 && count <= 2 * HEADERS_MAX, 1,
                  "headers: names and values, at most 100");
    HttpHeader *headers = lua_newuserdatauv(L, (count / 2 + 1) * sizeof *headers, 0);
    for (size_t i = 0; i < count; i += 2) headers[i / 2] = (HttpHeader){items[i], items[i + 1]};
    query->headers = headers;
    query->header_count = count / 2;
}

static lua_Number opt_field_number(lua_State *L, const char *name, lua_Number otherwise) {
    lua_getfield(L, 1, name);
    lua_Number value = luaL_optnumber(L, -1, otherwise);
    lua_pop(L, 1);
    return value;
}

/* A C string, which borrows from the table. */
static const char *check_field_text(lua_State *L, const char *name) {
    Str text = opt_field_str(L, 1, name);
    luaL_argcheck(L, text.len > 0 && text.len <= URL_MAX, 1, name);
    luaL_argcheck(L, memchr(text.data, '\0', text.len) == NULL, 1, name);
    return text.data;
}

static HttpQuery check_query(lua_State *L) {
    static const char *const known[] = {"method",  "url",      "headers",     "body",
                                        "timeout", "body_max", "public_only", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    check_keys(L, 1, known);
    HttpQuery query = {.method = check_field_text(L, "method"), .url = check_field_text(L, "url")};
    check_headers(L, &query);
    query.body = opt_field_str(L, 1, "body");
    query.has_body = query.body.data != NULL;
    query.is_public_only = opt_field_bool(L, 1, "public_only");
    lua_Number seconds = opt_field_number(L, "timeout", 0);
    luaL_argcheck(L, seconds > 0 && seconds <= TIMEOUT_MAX_S, 1,
                  "timeout: more than 0, at most 600 seconds");
    query.timeout_ms = (uint32_t)(seconds * 1000);
    lua_Number bytes = opt_field_number(L, "body_max", (lua_Number)UINT32_MAX);
    luaL_argcheck(L, bytes >= 0, 1, "body_max: bytes");
    query.body_bytes_max = (uint64_t)bytes;
    return query;
}

static int f_call(lua_State *L) {
    HttpClient *client = check_client(L);
    HttpQuery query = check_query(L);
    task_check(L);
    Calling *calling = mem_zalloc(sizeof *calling);
    int err = http_client_call(client, &query, on_answer, calling, &calling->call);
    if (err != 0) {
        mem_free(calling);
        return push_failure(L, err, "the body is too large, or too many requests are under way");
    }
    calling->wait = task_arm(L);
    wait_on_cancel(calling->wait, on_cancel, calling);
    return task_yield(L);
}

static const char *check_url(lua_State *L, int arg) {
    Str text = check_str(L, arg);
    return text.len <= URL_MAX && memchr(text.data, '\0', text.len) == NULL ? text.data : "";
}

static int f_parse(lua_State *L) {
    const char *text = check_url(L, 1);
    const char *base = lua_isnoneornil(L, 2) ? NULL : check_url(L, 2);
    lua_createtable(L, 0, 4);
    HttpUrl url;
    if (http_url_parse(text, base, &url) != 0) {
        return push_failure(L, ERR_INVALID, "it is no http or https URL, or has a user in it");
    }
    set_field_str(L, "url", str_of(url.text));
    set_field_str(L, "host", str_of(url.host));
    set_field_str(L, "scheme", url.is_tls ? STR("https") : STR("http"));
    set_field_integer(L, "port", url.port);
    http_url_deinit(&url);
    return 1;
}

static const luaL_Reg lib[] = {{"call", f_call}, {"parse", f_parse}, {NULL, NULL}};

int api_open_http(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
