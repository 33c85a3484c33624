/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests are read one at a time. While one is being answered, or answers wait for a client that
 * does not read them, bytes are kept in `ahead`, and beyond limits.pipeline_bytes_max not read at
 * all. `run` reads on when the answer is given: in its own loop when that happened within on_request,
 * else in on_drain, when the answer has left. So nothing recurses, and a client that pipelines
 * without reading costs a bounded amount.
 */
#include "net/exchange.h"

#include <assert.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"
#include "net/http.h"

enum {
    OUTPUT_MAX = 64 * 1024,  /* of answers waits for the client before its next request is read */
    ANSWER_SMALL = 32 * 1024 /* that one may have which always may wait */
};

typedef enum {
    PHASE_IDLE, /* no byte of a request came */
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_ANSWER /* a request is being answered, or its answer waits to be sent */
} ExchangePhase;

struct Exchange {
    Conn *conn; /* NULL once it is given away: freed when `run` returns */
    Http *http;
    ExchangeOnRequest on_request;
    void *context;
    Request *request; /* being answered; its owner frees it */
    Str *input;       /* what `run` reads; NULL outside of it */
    Buf ahead;        /* read and not parsed yet, from `ahead_used` on */
    size_t ahead_used;
    List link;           /* in net->exchanges */
    uint64_t since_ms;   /* when the phase began */
    uint64_t body_bytes; /* of the request under way, came so far */
    ExchangePhase phase;
    bool has_ended; /* the client sends no more */
    Address remote;
};

const char *exchange_phrase(int status) {
    switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 423: return "Locked";
    case 424: return "Failed Dependency";
    case 425: return "Too Early";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 451: return "Unavailable For Legal Reasons";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";
    }
}

/* --- answers --- */

/* What the request says about the form of its answer. */
typedef struct Form {
    bool is_head;
    bool is_old; /* HTTP/1.0, where keep-alive must be said */
    bool must_close;
} Form;

static char *put(char *at, Str text) {
    if (text.len > 0) memcpy(at, text.data, text.len);
    return at + text.len;
}

static char *put_header(char *at, Str name, Str value) {
    at = put(put(at, name), STR(": "));
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        *at++ = c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    }
    return put(at, STR("\r\n"));
}

static char *put_number(char *at, uint64_t number) {
    char digits[TEXT_NUMBER_MAX];
    return put(at, str_make(digits, text_encode_number(number, digits)));
}

static bool has_header(const Reply *reply, Str name) {
    for (size_t i = 0; i < reply->header_count; i++) {
        if (str_equal_nocase(reply->headers[i].name, name)) return true;
    }
    return false;
}

/* RFC 9110 7.8: an Upgrade header must be named in Connection. */
static Str connection_of(const Reply *reply, Form form) {
    bool has_upgrade = has_header(reply, STR("upgrade"));
    if (form.must_close) return has_upgrade ? STR("close, upgrade") : STR("close");
    if (has_upgrade) return STR("upgrade");
    return form.is_old ? STR("keep-alive") : STR_NONE;
}

static size_t reply_len_max(const Reply *reply) {
    size_t len =
        256 + reply->lines.len + reply->body.len; /* what is added to every head fits into 256 bytes */
    for (size_t i = 0; i < reply->header_count; i++) {
        len += reply->headers[i].name.len + reply->headers[i].value.len + sizeof ": \r\n";
    }
    return len;
}

static Bytes *encode_reply(Net *net, const Reply *reply, Form form) {
    bool has_length = reply->status != 204 && reply->status != 304;
    Bytes *bytes = bytes_new(reply_len_max(reply));
    char *at = put_number(put(bytes->data, STR("HTTP/1.1 ")), (uint64_t)reply->status);
    at = put(put(at, STR(" ")), str_of(exchange_phrase(reply->status)));
    at = put(put(at, STR("\r\nDate: ")), str_of(net_date(net)));
    at = put(put(at, STR("\r\n")), reply->lines);
    for (size_t i = 0; i < reply->header_count; i++) {
        at = put_header(at, reply->headers[i].name, reply->headers[i].value);
    }
    Str connection = connection_of(reply, form);
    if (connection.len > 0) at = put_header(at, STR("Connection"), connection);
    if (has_length) {
        at = put_number(put(at, STR("Content-Length: ")), reply->body.len);
        at = put(at, STR("\r\n"));
    }
    at = put(at, STR("\r\n"));
    if (has_length && !form.is_head) at = put(at, reply->body);
    bytes->len = (uint32_t)(at - bytes->data);
    return bytes;
}

static void send_reply(Exchange *exchange, const Reply *reply, Form form) {
    assert(reply->status >= 200 && reply->status <= 599);
    conn_write(exchange->conn, encode_reply(conn_net(exchange->conn), reply, form));
    metrics_add(METRIC_http_requests_total, 1);
    if (reply->status >= 400) metrics_add(METRIC_http_errors_total, 1);
    if (form.must_close) conn_finish(exchange->conn);
}

static bool is_limit(int status) {
    return status == 408 || status == 413 || status == 414 || status == 431 || status == 503;
}

/* Answers a request that never became one, and ends the connection. */
static void refuse(Exchange *exchange, const HttpFault *fault) {
    static const Header headers[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Retry-After"), STR("1")},
    };
    Buf body = BUF_NONE;
    buf_addf(&body,
             "{\"errors\":[{\"status\":\"%d\",\"code\":\"%s\",\"title\":\"%s\",\"detail\":\"%s\"}]}",
             fault->status, fault->code, exchange_phrase(fault->status), fault->detail);
    Reply reply = {.status = fault->status, .headers = headers, .body = buf_str(&body)};
    reply.header_count = fault->status == 503 ? 2 : 1;
    metrics_add(METRIC_http_refused_total, 1);
    if (is_limit(fault->status)) metrics_add(METRIC_limit_hits_total, 1);
    send_reply(exchange, &reply, (Form){.must_close = true});
    buf_deinit(&body);
}

/* --- what the parser asks --- */

static bool refuse_memory(HttpFault *fault) {
    *fault = (HttpFault){503, "memory-busy", "Too many bodies are in work. Try again in a moment."};
    return false;
}

static bool fits_memory(Exchange *exchange, uint64_t more) {
    const Net *net = conn_net(exchange->conn);
    return net->request_bytes + more <= net->limits.request_memory_max;
}

static bool on_headers(void *context, Request *request, uint64_t body_bytes, bool expects_continue,
                       HttpFault *fault) {
    Exchange *exchange = context;
    exchange->body_bytes = 0;
    request->remote = exchange->remote;
    if (!fits_memory(exchange, body_bytes)) return refuse_memory(fault);
    if (expects_continue) {
        conn_write(exchange->conn, bytes_copy(STR("HTTP/1.1 100 Continue\r\n\r\n")));
    }
    return true;
}

static bool on_body(void *context, Request *request, size_t more, HttpFault *fault) {
    Exchange *exchange = context;
    if (!fits_memory(exchange, more)) return refuse_memory(fault);
    request_hold(request, &conn_net(exchange->conn)->request_bytes, more);
    exchange->body_bytes += more;
    return true;
}

static const HttpHandler http_handler = {on_headers, on_body};

/* --- reading --- */

static void free_exchange(Exchange *exchange) {
    http_free(exchange->http);
    buf_deinit(&exchange->ahead);
    mem_free(exchange);
}

static Str ahead_of(const Exchange *exchange) {
    if (exchange->ahead.data == NULL) return STR_NONE;
    return str_make(exchange->ahead.data + exchange->ahead_used,
                    exchange->ahead.len - exchange->ahead_used);
}

static bool can_run(const Exchange *exchange) {
    return exchange->request == NULL && !conn_is_closing(exchange->conn) &&
           conn_queued(exchange->conn) <= OUTPUT_MAX;
}

static Http *new_http(Exchange *exchange) {
    const NetLimits *limits = &conn_net(exchange->conn)->limits;
    HttpLimits http_limits = {limits->header_bytes_max, limits->url_bytes_max, limits->headers_max,
                              limits->body_bytes_max};
    return http_new(&http_limits, &http_handler, exchange);
}

static void hand_out(Exchange *exchange) {
    Request *request = http_take_request(exchange->http);
    request->exchange = exchange;
    exchange->request = request;
    exchange->phase = PHASE_ANSWER;
    exchange->on_request(exchange->context, request);
}

/* Reads requests and hands them out until the input is used up or the client must wait. False: the
 * Conn was given away and the exchange is gone. */
static bool run(Exchange *exchange, Str *input) {
    if (exchange->http == NULL) exchange->http = new_http(exchange);
    exchange->input = input;
    while (input->len > 0 && can_run(exchange)) {
        size_t taken;
        HttpFed fed = http_feed(exchange->http, *input, &taken);
        *input = str_make(input->data + taken, input->len - taken);
        if (fed == FED_FAULT) refuse(exchange, http_fault(exchange->http));
        if (fed == FED_REQUEST) hand_out(exchange);
        if (exchange->conn == NULL) {
            free_exchange(exchange);
            return false;
        }
    }
    exchange->input = NULL;
    return true;
}

static bool run_ahead(Exchange *exchange) {
    Str input = ahead_of(exchange);
    if (!run(exchange, &input)) return false;
    exchange->ahead_used = exchange->ahead.len - input.len;
    if (input.len == 0) {
        buf_deinit(&exchange->ahead);
        exchange->ahead_used = 0;
    }
    return true;
}

static bool is_too_slow(const Exchange *exchange, uint64_t now_ms) {
    const NetLimits *limits = &conn_net(exchange->conn)->limits;
    uint64_t elapsed_ms = now_ms - exchange->since_ms;
    return elapsed_ms > limits->body_timeout_ms &&
           exchange->body_bytes * 1000 < limits->body_rate_min * elapsed_ms;
}

static void refuse_slow(Exchange *exchange) {
    static const HttpFault fault = {408, "request-timeout", "Send the whole request without a pause."};
    refuse(exchange, &fault);
}

static ExchangePhase phase_now(const Exchange *exchange) {
    if (!can_run(exchange)) return PHASE_ANSWER;
    if (exchange->http == NULL || !http_is_busy(exchange->http)) return PHASE_IDLE;
    return http_is_in_body(exchange->http) ? PHASE_BODY : PHASE_HEAD;
}

/* Sets the deadline of what the client shall do next. */
static void set_deadline(Exchange *exchange) {
    const NetLimits *limits = &conn_net(exchange->conn)->limits;
    uint64_t now_ms = net_now_ms(conn_net(exchange->conn));
    ExchangePhase phase = phase_now(exchange);
    if (phase != exchange->phase) exchange->since_ms = now_ms;
    exchange->phase = phase;
    switch (phase) {
    case PHASE_IDLE:
        conn_set_deadline(exchange->conn, exchange->since_ms + limits->idle_timeout_ms);
        break;
    case PHASE_HEAD:
        conn_set_deadline(exchange->conn, exchange->since_ms + limits->header_timeout_ms);
        break;
    case PHASE_BODY:
        conn_set_deadline(exchange->conn, now_ms + limits->body_timeout_ms);
        if (is_too_slow(exchange, now_ms)) refuse_slow(exchange);
        break;
    case PHASE_ANSWER: conn_set_deadline(exchange->conn, 0); break;
    }
}

static void end(Exchange *exchange) {
    static const HttpFault fault = {400, "request-incomplete", "Send the whole request."};
    if (exchange->http != NULL && http_is_busy(exchange->http)) {
        refuse(exchange, &fault);
    } else {
        conn_finish(exchange->conn);
    }
}

/* After bytes came or an answer left: what next? */
static void settle(Exchange *exchange) {
    const Net *net = conn_net(exchange->conn);
    if (conn_is_closing(exchange->conn)) return;
    if (ahead_of(exchange).len >= net->limits.pipeline_bytes_max) {
        conn_read_stop(exchange->conn);
    } else {
        conn_read_start(exchange->conn);
    }
    if (can_run(exchange) && exchange->has_ended) {
        end(exchange);
        return;
    }
    set_deadline(exchange);
    if (exchange->phase == PHASE_IDLE && net->is_draining) conn_finish(exchange->conn);
}

/* --- what the Conn calls --- */

static void on_data(void *owner, Str bytes) {
    Exchange *exchange = owner;
    if (ahead_of(exchange).len == 0 && !run(exchange, &bytes)) return;
    if (!conn_is_closing(exchange->conn)) buf_add(&exchange->ahead, bytes);
    settle(exchange);
}

static void on_end(void *owner) {
    Exchange *exchange = owner;
    exchange->has_ended = true;
    settle(exchange);
}

static void on_drain(void *owner) {
    Exchange *exchange = owner;
    if (ahead_of(exchange).len > 0 && !run_ahead(exchange)) return;
    settle(exchange);
}

static void on_timer(void *owner) {
    Exchange *exchange = owner;
    if (exchange->phase == PHASE_IDLE) {
        conn_close(exchange->conn);
    } else {
        refuse_slow(exchange);
    }
}

static void on_close(void *owner) {
    Exchange *exchange = owner;
    list_remove(&exchange->link);
    Request *request = exchange->request;
    free_exchange(exchange);
    if (request == NULL) return;
    request->exchange = NULL;
    if (request->on_gone != NULL) request->on_gone(request->gone_context);
}

static const ConnHandler conn_handler = {on_data, on_end, on_drain, on_timer, on_close};

/* --- for others --- */

void exchange_open(Conn *conn, ExchangeOnRequest on_request, void *context) {
    Exchange *exchange = mem_zalloc(sizeof *exchange);
    exchange->conn = conn;
    exchange->on_request = on_request;
    exchange->context = context;
    exchange->since_ms = net_now_ms(conn_net(conn));
    exchange->remote = conn_remote(conn);
    list_add(&conn_net(conn)->exchanges, &exchange->link);
    conn_set_handler(conn, &conn_handler, exchange);
    settle(exchange);
}

/* From here on the request's owner has no business with the connection any more. */
static Exchange *detach(Request *request) {
    Exchange *exchange = request->exchange;
    if (exchange == NULL) return NULL;
    ensure(exchange->request == request);
    request->exchange = NULL;
    exchange->request = NULL;
    return conn_is_closing(exchange->conn) ? NULL : exchange;
}

/* Answers that clients do not take may wait in half of the memory for what waits; small ones always. */
static bool is_too_much(const Net *net, const Reply *reply) {
    return reply->body.len > ANSWER_SMALL &&
           metrics_sum(METRIC_queue_bytes) > (int64_t)(net->limits.queues_bytes_max / 2);
}

void exchange_reply(Request *request, const Reply *reply) {
    static const HttpFault too_much = {
        503, "answers-full", "Too much waits for clients that do not take it. Try again in a moment."};
    Exchange *exchange = detach(request);
    if (exchange == NULL) return;
    if (is_too_much(conn_net(exchange->conn), reply)) {
        refuse(exchange, &too_much);
        return;
    }
    bool must_close =
        reply->must_close || !request->is_keep_alive || conn_net(exchange->conn)->is_draining;
    send_reply(exchange, reply, (Form){request->is_head, request->version_minor == 0, must_close});
}

Conn *exchange_give_conn(Request *request, Buf *rest) {
    Exchange *exchange = detach(request);
    if (exchange == NULL) return NULL;
    Conn *conn = exchange->conn;
    if (exchange->has_ended) { /* its on_end came already: the next owner would wait for it */
        conn_finish(conn);
        return NULL;
    }
    buf_add(rest, exchange->input != NULL ? *exchange->input : ahead_of(exchange));
    conn_set_deadline(conn, 0);
    conn_set_handler(conn, NULL, NULL);
    list_remove(&exchange->link);
    exchange->conn = NULL;
    if (exchange->input == NULL) free_exchange(exchange);
    return conn;
}

void exchange_drain(Net *net) {
    net->is_draining = true;
    for (List *each = net->exchanges.next; each != &net->exchanges; each = each->next) {
        Exchange *exchange = list_entry(each, Exchange, link);
        if (exchange->phase != PHASE_IDLE) continue;
        if (conn_queued(exchange->conn) > 0) {
            conn_finish(exchange->conn);
        } else {
            conn_close(exchange->conn);
        }
    }
}
