/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl tells which sockets it watches and when it wants to be called (on_watch, on_timeout); we tell it
 * what the loop saw (act), and then read which calls are done. A call is in the list `running` with a handle
 * of libcurl, or in `waiting` without one. Its deadline is a timer of the wheel, the same for both.
 *
 * Whether an address may be reached is judged where the socket is made, so a name that means another address
 * the second time it is asked for helps nobody; and again before each request goes out, since a connection
 * may have been opened by a call that was allowed more.
 */
#include "net/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/address.h"

enum { HEADER_BYTES_MAX = 64 * 1024 };

struct HttpClient {
    Net *net;
    CURLM *multi;
    uv_timer_t timer; /* when libcurl wants to be called */
    List running;
    List waiting;
    uint32_t running_count;
    uint32_t waiting_count;
    uint64_t bytes; /* bodies in memory */
    HttpClientLimits limits;
};

struct HttpCall {
    List link;
    HttpClient *client;
    CURL *easy; /* NULL while it waits */
    struct curl_slist *headers;
    char *method;
    char *url;
    Buf body; /* to be sent */
    bool has_body;
    bool is_public_only;
    bool is_denied; /* an address was private */
    uint64_t body_bytes_max;
    WheelTimer deadline;
    HttpAnswer answer;
    HttpOnAnswer on_answer;
    void *context;
    char error_text[CURL_ERROR_SIZE];
};

/* A socket of libcurl that the loop watches. */
typedef struct Watch {
    uv_poll_t poll;
    HttpClient *client;
    curl_socket_t socket;
} Watch;

void http_client_setup(void) {
    ensure(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static void add_bytes(HttpClient *client, uint64_t len) {
    client->bytes += len;
    metrics_add(METRIC_http_call_bytes, (int64_t)len);
}

static void remove_bytes(HttpClient *client, uint64_t len) {
    client->bytes -= len;
    metrics_add(METRIC_http_call_bytes, -(int64_t)len);
}

/* Takes it out of all that knows of it. */
static void stop_call(HttpCall *call) {
    HttpClient *client = call->client;
    list_remove(&call->link);
    wheel_stop(&client->net->wheel, &call->deadline);
    if (call->easy != NULL) {
        client->running_count--;
        metrics_add(METRIC_http_calls, -1);
        curl_multi_remove_handle(client->multi, call->easy);
        curl_easy_cleanup(call->easy);
        call->easy = NULL;
    } else {
        client->waiting_count--;
        metrics_add(METRIC_http_calls_waiting, -1);
    }
}

static void free_call(HttpCall *call) {
    remove_bytes(call->client, call->body.len + call->answer.body.len);
    curl_slist_free_all(call->headers);
    buf_deinit(&call->body);
    buf_deinit(&call->answer.headers);
    buf_deinit(&call->answer.body);
    mem_free(call->method);
    mem_free(call->url);
    mem_free(call);
}

static void set_error(HttpCall *call, int error, const char *message) {
    if (call->answer.error != 0) return; /* the first one is the cause */
    call->answer.error = error;
    call->answer.message = message;
}

static void start_waiting(HttpClient *client);

static void finish(HttpCall *call) {
    HttpClient *client = call->client;
    stop_call(call);
    if (call->answer.error != 0) metrics_add(METRIC_http_call_failures_total, 1);
    call->on_answer(call->context, &call->answer);
    free_call(call);
    start_waiting(client);
}

static void on_deadline(WheelTimer *timer, uint64_t now_ms) {
    (void)now_ms;
    HttpCall *call = list_entry(timer, HttpCall, deadline);
    set_error(call, ERR_TIMEOUT,
              call->easy ? "the server took too long" : "other requests took too long");
    finish(call);
}

static int error_of(CURLcode code) {
    switch (code) {
    case CURLE_OK: return 0;
    case CURLE_URL_MALFORMAT: return ERR_INVALID;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return ERR_UNAVAILABLE;
    case CURLE_FILESIZE_EXCEEDED: return ERR_LIMIT;
    default: return ERR_IO;
    }
}

static void finish_done(HttpCall *call, CURLcode code) {
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    call->answer.status = (int)status;
    if (call->is_denied && code != CURLE_OK)
        set_error(call, ERR_DENIED, "the address is a private one");
    const char *text = call->error_text[0] != '\0' ? call->error_text : curl_easy_strerror(code);
    if (code != CURLE_OK) set_error(call, error_of(code), text);
    finish(call);
}

static void read_done(HttpClient *client) {
    int left;
    for (CURLMsg *message = curl_multi_info_read(client->multi, &left); message != NULL;
         message = curl_multi_info_read(client->multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        char *call = NULL;
        CURLcode code = message->data.result; /* finish frees the message */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        finish_done((HttpCall *)(void *)call, code);
    }
}

static void act(HttpClient *client, curl_socket_t socket, int events) {
    int running;
    curl_multi_socket_action(client->multi, socket, events, &running);
    read_done(client);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    const Watch *watch = poll->data;
    int seen = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE) seen |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE) seen |= CURL_CSELECT_OUT;
    act(watch->client, watch->socket, seen);
}

static void on_timer(uv_timer_t *timer) {
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout(CURLM *multi, long timeout_ms, void *context) {
    (void)multi;
    HttpClient *client = context;
    if (timeout_ms < 0) {
        uv_timer_stop(&client->timer);
    } else if (!uv_is_closing((uv_handle_t *)&client->timer)) {
        uv_timer_start(&client->timer, on_timer, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

static void on_watch_closed(uv_handle_t *handle) {
    mem_free(handle->data);
}

static Watch *new_watch(HttpClient *client, curl_socket_t socket) {
    Watch *watch = mem_alloc(sizeof *watch);
    watch->client = client;
    watch->socket = socket;
    ensure(uv_poll_init_socket(client->net->loop, &watch->poll, socket) == 0);
    uv_unref((uv_handle_t *)&watch->poll);
    watch->poll.data = watch;
    curl_multi_assign(client->multi, socket, watch);
    return watch;
}

static int on_watch(CURL *easy, curl_socket_t socket, int what, void *context, void *watch_of) {
    (void)easy;
    HttpClient *client = context;
    Watch *watch = watch_of;
    if (what == CURL_POLL_REMOVE) {
        if (watch == NULL) return 0;
        curl_multi_assign(client->multi, socket, NULL);
        uv_close((uv_handle_t *)&watch->poll,
                 on_watch_closed); /* stops it: the socket may be closed now */
        return 0;
    }
    if (watch == NULL) watch = new_watch(client, socket);
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    ensure(uv_poll_start(&watch->poll, events, on_poll) == 0);
    return 0;
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address) {
    (void)purpose;
    HttpCall *call = context;
    if (call->is_public_only && !address_is_public(&address->addr)) {
        call->is_denied = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int on_before_request(void *context, char *address, char *own, int port, int own_port) {
    (void)own, (void)port, (void)own_port;
    HttpCall *call = context;
    if (!call->is_public_only || address_text_is_public(address)) return CURL_PREREQFUNC_OK;
    call->is_denied = true;
    return CURL_PREREQFUNC_ABORT;
}

static size_t on_header(char *data, size_t size, size_t count, void *context) {
    HttpCall *call = context;
    Buf *headers = &call->answer.headers;
    Str line = str_make(data, size * count);
    if (str_has_prefix(line, STR("HTTP/"))) {
        buf_clear(headers); /* of an interim response */
        return line.len;
    }
    if (headers->len + line.len > HEADER_BYTES_MAX) {
        set_error(call, ERR_LIMIT, "the answer has too many headers");
        return 0;
    }
    Str trimmed = str_trim(line);
    if (trimmed.len > 0) {
        buf_add(headers, trimmed);
        buf_add_char(headers, '\n');
    }
    return line.len;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    HttpCall *call = context;
    HttpClient *client = call->client;
    size_t len = size * count;
    if (call->answer.body.len + len > call->body_bytes_max) {
        set_error(call, ERR_LIMIT, "the answer is too large");
        return 0;
    }
    if (client->bytes + len > client->limits.memory_max) {
        metrics_add(METRIC_limit_hits_total, 1);
        set_error(call, ERR_LIMIT, "too many bytes of requests are in memory");
        return 0;
    }
    add_bytes(client, len);
    buf_add(&call->answer.body, str_make(data, len));
    return len;
}

#define SET(option, value) ensure(curl_easy_setopt(call->easy, CURLOPT_##option, value) == CURLE_OK)

static void set_connection(HttpCall *call) {
    SET(PRIVATE, call);
    SET(NOSIGNAL, 1L);
    SET(QUICK_EXIT, 1L); /* a cancelled look-up of a name is not waited for */
    SET(PROXY, "");
    SET(PROTOCOLS_STR, "http,https");
    SET(DISALLOW_USERNAME_IN_URL, 1L);
    SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(ERRORBUFFER, call->error_text);
    SET(OPENSOCKETFUNCTION, on_open_socket);
    SET(OPENSOCKETDATA, call);
    SET(PREREQFUNCTION, on_before_request);
    SET(PREREQDATA, call);
    if (call->client->limits.ca_file != NULL) SET(CAINFO, call->client->limits.ca_file);
}

static bool has_always_body(const char *method) {
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

static void set_request(HttpCall *call) {
    SET(URL, call->url);
    SET(HTTPHEADER, call->headers);
    if (strcmp(call->method, "HEAD") == 0) {
        SET(NOBODY, 1L);
    } else if (call->has_body || has_always_body(call->method)) {
        SET(POST, 1L);
        SET(POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        SET(POSTFIELDS, call->body.data ? call->body.data : "");
    }
    SET(CUSTOMREQUEST, call->method);
}

static void set_response(HttpCall *call) {
    bool is_head = strcmp(call->method, "HEAD") == 0; /* which tells of a body that does not come */
    if (!is_head) SET(MAXFILESIZE_LARGE, (curl_off_t)call->body_bytes_max);
    SET(HEADERFUNCTION, on_header);
    SET(HEADERDATA, call);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, call);
}

static void start_call(HttpCall *call) {
    HttpClient *client = call->client;
    call->easy = curl_easy_init();
    ensure(call->easy != NULL);
    set_connection(call);
    set_request(call);
    set_response(call);
    list_add(&client->running, &call->link);
    client->running_count++;
    metrics_add(METRIC_http_calls, 1);
    ensure(curl_multi_add_handle(client->multi, call->easy) == CURLM_OK);
}

static void start_waiting(HttpClient *client) {
    while (client->running_count < client->limits.calls_max && !list_is_empty(&client->waiting)) {
        HttpCall *call = list_entry(client->waiting.next, HttpCall, link);
        list_remove(&call->link);
        client->waiting_count--;
        metrics_add(METRIC_http_calls_waiting, -1);
        start_call(call);
    }
}

HttpClient *http_client_open(Net *net, const HttpClientLimits *limits) {
    HttpClient *client = mem_zalloc(sizeof *client);
    client->net = net;
    client->limits = *limits;
    list_init(&client->running);
    list_init(&client->waiting);
    client->multi = curl_multi_init();
    ensure(client->multi != NULL && uv_timer_init(net->loop, &client->timer) == 0);
    uv_unref((uv_handle_t *)&client->timer);
    client->timer.data = client;
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)limits->calls_max);
    return client;
}

static void on_timer_closed(uv_handle_t *handle) {
    mem_free(handle->data);
}

void http_client_close(HttpClient *client) {
    if (client == NULL) return;
    while (!list_is_empty(&client->running)) {
        http_client_cancel(list_entry(client->running.next, HttpCall, link));
    }
    while (!list_is_empty(&client->waiting)) {
        http_client_cancel(list_entry(client->waiting.next, HttpCall, link));
    }
    uv_close((uv_handle_t *)&client->timer, on_timer_closed);
    curl_multi_cleanup(client->multi);
}

static void add_line(HttpCall *call, const char *line) {
    struct curl_slist *longer = curl_slist_append(call->headers, line);
    ensure(longer != NULL);
    call->headers = longer;
}

/* What libcurl would add by itself is taken out; to it "Name;" is a header without value. */
static void add_headers(HttpCall *call, const HttpQuery *query) {
    bool has_type = false;
    Buf line = BUF_NONE;
    for (size_t i = 0; i < query->header_count; i++) {
        HttpHeader header = query->headers[i];
        has_type = has_type || str_equal_nocase(header.name, STR("content-type"));
        buf_clear(&line);
        buf_add(&line, header.name);
        buf_add(&line, header.value.len > 0 ? STR(": ") : STR(";"));
        buf_add(&line, header.value);
        buf_add_char(&line, '\0');
        add_line(call, line.data);
    }
    buf_deinit(&line);
    if (!has_type) add_line(call, "Content-Type:");
    add_line(call, "Expect:");
}

static HttpCall *new_call(HttpClient *client, const HttpQuery *query) {
    HttpCall *call = mem_zalloc(sizeof *call);
    call->client = client;
    call->method = mem_copy(query->method, strlen(query->method));
    call->url = mem_copy(query->url, strlen(query->url));
    call->has_body = query->has_body;
    call->is_public_only = query->is_public_only;
    call->body_bytes_max = query->body_bytes_max;
    if (call->body_bytes_max > client->limits.body_bytes_max) {
        call->body_bytes_max = client->limits.body_bytes_max;
    }
    if (query->body.len > 0) buf_add(&call->body, query->body);
    add_bytes(client, call->body.len);
    add_headers(call, query);
    wheel_timer_init(&call->deadline, on_deadline);
    return call;
}

static bool has_room(const HttpClient *client, const HttpQuery *query) {
    if (query->body.len > client->limits.body_bytes_max) return false;
    if (client->bytes + query->body.len > client->limits.memory_max) return false;
    return client->running_count < client->limits.calls_max ||
           client->waiting_count < client->limits.waiting_max;
}

int http_client_call(HttpClient *client, const HttpQuery *query, HttpOnAnswer on_answer, void *context,
                     HttpCall **out) {
    if (!has_room(client, query)) {
        metrics_add(METRIC_limit_hits_total, 1);
        return ERR_LIMIT;
    }
    HttpCall *call = new_call(client, query);
    call->on_answer = on_answer;
    call->context = context;
    metrics_add(METRIC_http_calls_total, 1);
    list_add(&client->waiting, &call->link);
    client->waiting_count++;
    metrics_add(METRIC_http_calls_waiting, 1);
    wheel_start(&client->net->wheel, &call->deadline, clock_deadline_ms(query->timeout_ms));
    start_waiting(client);
    *out = call;
    return 0;
}

void http_client_cancel(HttpCall *call) {
    HttpClient *client = call->client;
    stop_call(call);
    free_call(call);
    start_waiting(client);
}
