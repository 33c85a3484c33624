/* SPDX-License-Identifier: Apache-2.0
 *
 * llhttp (as Debian builds it, not strict) lets pass what others may read differently: bare LF after
 * the request line, blanks in names, folded lines, another byte for the LF behind a CR, chunk data
 * without CRLF behind it, RTSP. So every byte that is not body data goes through `scan` too, which
 * knows how lines look and end and counts them against the limits:
 *
 *     blank lines   POST /x HTTP/1.1 CRLF   Name: value CRLF   CRLF   5 CRLF   hello   CRLF 0 CRLF CRLF
 *     skip_blank    scan ..................................... END    scan .   (data)  scan ...... END
 *
 * The head is gathered until scan has seen its end, then parsed in one piece where it stays, in the
 * request's arena. A body goes to llhttp as it comes. What scan refuses is refused at the same byte
 * however the input is cut: before llhttp's callbacks act, they scan up to where they are.
 */
#include "net/http.h"

#include <assert.h>
#include <llhttp.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/head.h"

enum { METHOD_LEN_MAX = 32, VERSION_LEN = 8 };

typedef enum {
    LINE_METHOD,
    LINE_TARGET,
    LINE_VERSION,
    LINE_START,     /* of a header, chunk or trailer line */
    LINE_NAME,      /* of a header or trailer */
    LINE_TEXT,      /* the rest of a line */
    LINE_CR,        /* its CR came */
    LINE_EMPTY_CR,  /* the CR of an empty line came */
    LINE_END,       /* an empty line is over */
    LINE_AFTER_DATA /* the CRLF behind a chunk's data must come */
} LineState;

struct Http {
    llhttp_t parser;
    HttpLimits limits;
    const HttpHandler *handler;
    void *context;
    Buf head;         /* of a head that comes in pieces */
    Request *request; /* from the end of its head on */
    HttpFault fault;
    LineState line;
    uint32_t method_len, target_len, version_len;
    uint32_t line_count;
    uint64_t line_bytes; /* of the head, then of what is not data in a chunked body */
    uint64_t chunk_left; /* data of this chunk that has not come */
    const char *scanned; /* up to here in the bytes that are fed now; chunked bodies only */
    char version[VERSION_LEN];
    bool has_blank_cr; /* before the request: the CR of a blank line came */
    bool is_busy;
    bool is_in_body; /* the head is complete and good */
    bool is_chunked;
    bool has_sizes; /* lines are chunk sizes, not headers */
    bool is_complete;
    bool has_rest; /* more bytes stand behind the head that is read now */
};

static bool refuse(Http *http, int status, const char *code, const char *detail) {
    http->fault = (HttpFault){.status = status, .code = code, .detail = detail};
    return false;
}

/* --- lines --- */

static bool refuse_line_end(Http *http) {
    return refuse(http, 400, "line-end-invalid", "End every line with CR LF.");
}

static bool refuse_request_line(Http *http) {
    return refuse(http, 400, "request-line-invalid",
                  "Begin with: method, one blank, target, one blank, HTTP/1.1, CR LF.");
}

static bool scan_method(Http *http, unsigned char c) {
    if (c == ' ') {
        http->line = LINE_TARGET;
        return true;
    }
    if (!head_is_token_char((char)c)) return refuse_request_line(http);
    if (++http->method_len <= METHOD_LEN_MAX) return true;
    return refuse(http, 501, "method-unknown", "This server does not know the method.");
}

static bool scan_target(Http *http, unsigned char c) {
    if (c == ' ' && http->target_len > 0) {
        http->line = LINE_VERSION;
        return true;
    }
    if (c > 0x7E) return refuse(http, 400, "target-invalid", "Percent-encode the target.");
    if (c <= ' ') return refuse_request_line(http);
    if (++http->target_len <= http->limits.url_bytes_max) return true;
    return refuse(http, 414, "url-too-long", "Send a shorter target; long data belongs in the body.");
}

static bool scan_version(Http *http, unsigned char c) {
    static const char form[] = "HTTP/0.0";
    uint32_t at = http->version_len;
    if (at < VERSION_LEN) {
        bool is_digit = form[at] == '0' && c >= '0' && c <= '9';
        if (!is_digit && c != (unsigned char)form[at]) return refuse_request_line(http);
        http->version[http->version_len++] = (char)c;
        return true;
    }
    if (c != '\r') return refuse_request_line(http);
    http->line = LINE_CR;
    if (http->version[5] == '1' && http->version[7] <= '1') return true;
    return refuse(http, 505, "version-unsupported", "Send HTTP/1.1 or HTTP/1.0.");
}

static bool refuse_name(Http *http) {
    return refuse(http, 400, "header-invalid", "Send each header as: name, colon, value, CR LF.");
}

static bool scan_line_start(Http *http, unsigned char c) {
    if (c == ' ' || c == '\t') {
        return refuse(http, 400, "header-folded", "Write each header in one line.");
    }
    if (c == '\r') {
        http->line = LINE_EMPTY_CR;
        return true;
    }
    if (c == '\n') return refuse_line_end(http);
    http->line = http->has_sizes ? LINE_TEXT : LINE_NAME;
    return http->has_sizes || head_is_token_char((char)c) || refuse_name(http);
}

static bool scan_name(Http *http, unsigned char c) {
    if (c == ':') http->line = LINE_TEXT;
    return c == ':' || head_is_token_char((char)c) || refuse_name(http);
}

static bool is_text(unsigned char c) {
    return (c >= ' ' && c != 0x7F) || c == '\t';
}

static bool scan_text(Http *http, unsigned char c) {
    if (c == '\r') {
        http->line = LINE_CR;
        return true;
    }
    if (is_text(c)) return true;
    if (c == '\n') return refuse_line_end(http);
    return refuse(http, 400, "header-invalid", "Send no control characters in headers.");
}

static bool scan_line_feed(Http *http, unsigned char c) {
    if (c != '\n') return refuse_line_end(http);
    http->line = http->line == LINE_EMPTY_CR ? LINE_END : LINE_START;
    if (http->line == LINE_END || http->request != NULL) return true;
    /* The request line is one of them. */
    if (http->line_count++ <= http->limits.headers_max) return true;
    return refuse(http, 431, "headers-too-many", "Send fewer headers.");
}

static bool scan_after_data(Http *http, unsigned char c) {
    http->line = LINE_CR;
    return c == '\r' || refuse_line_end(http);
}

static bool scan_byte(Http *http, unsigned char c) {
    switch (http->line) {
    case LINE_METHOD: return scan_method(http, c);
    case LINE_TARGET: return scan_target(http, c);
    case LINE_VERSION: return scan_version(http, c);
    case LINE_START: return scan_line_start(http, c);
    case LINE_NAME: return scan_name(http, c);
    case LINE_TEXT: return scan_text(http, c);
    case LINE_CR:
    case LINE_EMPTY_CR: return scan_line_feed(http, c);
    case LINE_AFTER_DATA: return scan_after_data(http, c);
    case LINE_END: break;
    }
    return refuse(http, 400, "chunk-invalid", "Send nothing behind the last chunk.");
}

/* What is not data in a chunked body may be so long: chunks of one byte are allowed, chunk
 * extensions and trailers without end are not. */
static uint64_t line_bytes_max(const Http *http) {
    uint64_t max = http->limits.header_bytes_max;
    return http->request == NULL ? max : max + 8 * (uint64_t)http->request->body.len;
}

static size_t skip_target(Http *http, const unsigned char *bytes, size_t len) {
    size_t room = http->limits.url_bytes_max - http->target_len;
    size_t skipped = text_skip_plain(bytes, len < room ? len : room, '!', true);
    http->target_len += (uint32_t)skipped;
    return skipped;
}

/* The version that nearly all send. */
static size_t skip_version(Http *http, const unsigned char *bytes, size_t len) {
    static const char usual[] = "HTTP/1.1";
    if (http->version_len > 0 || len < VERSION_LEN || memcmp(bytes, usual, VERSION_LEN) != 0) return 0;
    memcpy(http->version, bytes, VERSION_LEN);
    return http->version_len = VERSION_LEN;
}

static size_t skip_text(const unsigned char *bytes, size_t len) {
    return text_skip_plain(bytes, len, ' ', false);
}

/* Passes over what leaves the state as it is: most bytes by far. */
static size_t skip_plain(Http *http, const unsigned char *bytes, size_t len) {
    size_t i = 0;
    switch (http->line) {
    case LINE_TARGET: return skip_target(http, bytes, len);
    case LINE_VERSION: return skip_version(http, bytes, len);
    case LINE_NAME:
        while (i < len && head_is_token_char((char)bytes[i])) i++;
        return i;
    case LINE_TEXT: return skip_text(bytes, len);
    default: return 0;
    }
}

/* Scans `len` bytes, a head only to its end, and stops at a fault; gives how many were good. */
static size_t scan_bytes(Http *http, const unsigned char *bytes, size_t len) {
    size_t i = 0;
    while (i < len && (http->line != LINE_END || http->request != NULL)) {
        i += skip_plain(http, bytes + i, len - i);
        if (i == len) break;
        if (!scan_byte(http, bytes[i])) break;
        i++;
    }
    return i;
}

static size_t scan(Http *http, Str bytes) {
    uint64_t room = line_bytes_max(http) - http->line_bytes;
    size_t len = bytes.len < room ? bytes.len : (size_t)room;
    size_t done = scan_bytes(http, (const unsigned char *)bytes.data, len);
    http->line_bytes += done;
    bool is_over = http->line == LINE_END && http->request == NULL;
    if (done == room && done < bytes.len && !is_over) {
        refuse(http, 431, "headers-too-large", "Send fewer or shorter headers.");
    }
    return done;
}

/* RFC 9112 2.2: clients may send blank lines before a request. They count as bytes of its head. */
static size_t skip_blank(Http *http, Str bytes) {
    size_t i = 0;
    for (; i < bytes.len && !http->is_busy && http->fault.status == 0; i++) {
        char c = bytes.data[i];
        if (c != '\r' && c != '\n' && !http->has_blank_cr) break;
        if ((c == '\n') != http->has_blank_cr) refuse_line_end(http);
        http->has_blank_cr = c == '\r';
        if (++http->line_bytes > http->limits.header_bytes_max) {
            refuse(http, 431, "headers-too-large", "Send fewer blank lines.");
        }
    }
    return i;
}

/* Scans the lines of a chunked body up to `end`. */
static bool scan_to(Http *http, const char *end) {
    Str lines = str_make(http->scanned, (size_t)(end - http->scanned));
    http->scanned = end;
    return scan(http, lines) == lines.len;
}

/* --- what llhttp calls --- */

/* Trailers are dropped. */
static int on_header_field(llhttp_t *parser, const char *at, size_t len) {
    Http *http = parser->data;
    if (http->is_in_body) return 0;
    char *name = (char *)at; /* within our own copy of the head */
    for (size_t i = 0; i < len; i++) {
        if (name[i] >= 'A' && name[i] <= 'Z') name[i] |= 0x20;
    }
    request_add_header(http->request, str_make(at, len), STR_NONE);
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len) {
    Http *http = parser->data;
    if (http->is_in_body) return 0;
    Header *header = &http->request->headers[http->request->header_count - 1];
    const char *start = header->value.len > 0 ? header->value.data : at;
    header->value = str_trim(str_make(start, (size_t)(at + len - start)));
    return 0;
}

static bool refuse_body(Http *http) {
    return refuse(http, 413, "body-too-large", "Send a smaller body; MAX_REQ_SIZE is the limit.");
}

static bool begin_body(Http *http) {
    HeadBody body;
    if (!head_check(http->request, &body, &http->fault)) return false;
    uint64_t announced = body.is_chunked ? 0 : http->parser.content_length;
    if (announced > http->limits.body_bytes_max) return refuse_body(http);
    bool expects_continue =
        body.expects_continue && !http->has_rest && (body.is_chunked || announced > 0);
    http->is_in_body = true;
    http->is_chunked = http->has_sizes = body.is_chunked;
    http->line = LINE_START;
    http->line_bytes = 0;
    return http->handler->on_headers(http->context, http->request, announced, expects_continue,
                                     &http->fault);
}

static int on_headers_complete(llhttp_t *parser) {
    return begin_body(parser->data) ? 0 : -1;
}

/* Pauses before the trailers, because scan lags behind and must know where they begin. */
static int on_chunk_header(llhttp_t *parser) {
    Http *http = parser->data;
    http->chunk_left = parser->content_length;
    return http->chunk_left == 0 ? HPE_PAUSED : 0;
}

static bool chunk_fits(Http *http) {
    uint64_t room = http->limits.body_bytes_max - http->request->body.len;
    return http->chunk_left <= room || refuse_body(http);
}

static bool take_data(Http *http, Str data) {
    Request *request = http->request;
    if (http->is_chunked) {
        if (!scan_to(http, data.data) || !chunk_fits(http)) return false;
        http->scanned += data.len;
        http->chunk_left -= data.len;
        if (http->chunk_left == 0) http->line = LINE_AFTER_DATA;
    }
    if (!http->handler->on_body(http->context, request, data.len, &http->fault)) return false;
    buf_add(&request->body, data);
    return true;
}

static int on_body(llhttp_t *parser, const char *at, size_t len) {
    return take_data(parser->data, str_make(at, len)) ? 0 : HPE_USER;
}

static int on_message_complete(llhttp_t *parser) {
    Http *http = parser->data;
    http->is_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- feeding --- */

static bool refuse_errno(Http *http, llhttp_errno_t err) {
    switch (err) {
    case HPE_INVALID_METHOD:
    case HPE_INVALID_CONSTANT: /* a method of RTSP */
        return refuse(http, 501, "method-unknown", "This server does not know the method.");
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        return refuse(http, 400, "length-invalid",
                      "Send one Content-Length, a decimal number, and no Transfer-Encoding with it.");
    case HPE_INVALID_TRANSFER_ENCODING:
        return refuse(http, 400, "transfer-encoding-invalid",
                      "Send Transfer-Encoding: chunked, once and last.");
    case HPE_INVALID_CHUNK_SIZE:
    case HPE_STRICT:
        return refuse(http, 400, "chunk-invalid",
                      "Send each chunk as: size in hexadecimal, CR LF, data, CR LF.");
    case HPE_INVALID_URL:
        return refuse(http, 400, "target-invalid", "Begin the target with '/' or http://.");
    case HPE_INVALID_HEADER_TOKEN: return refuse_name(http);
    default: return refuse(http, 400, "request-malformed", "Send a request that follows RFC 9112.");
    }
}

/* Gives bytes to llhttp and drops those that it took. False: refused. */
static bool execute(Http *http, Str *bytes) {
    llhttp_errno_t err = llhttp_execute(&http->parser, bytes->data, bytes->len);
    if (http->fault.status != 0) return false;
    size_t taken = bytes->len;
    if (err != HPE_OK) taken = (size_t)(llhttp_get_error_pos(&http->parser) - bytes->data);
    *bytes = str_make(bytes->data + taken, bytes->len - taken);
    if (http->scanned != NULL && !scan_to(http, bytes->data)) return false;
    if (err == HPE_PAUSED && !http->is_complete) {
        http->has_sizes = false;
        llhttp_resume(&http->parser);
        return execute(http, bytes);
    }
    if (err != HPE_OK && !http->is_complete) return refuse_errno(http, err);
    /* Both must have seen the end. */
    if (!http->is_complete || !http->is_chunked || http->line == LINE_END) return true;
    return refuse(http, 400, "chunk-invalid", "End the body with a chunk of size 0.");
}

/* `head` is whole: from the method to the empty line. */
static bool read_head(Http *http, Str head) {
    Request *request = http->request = request_new();
    Str copy = arena_copy(&request->arena, head);
    request->line = str_make(copy.data, http->method_len + 1 + http->target_len);
    request->method = str_make(copy.data, http->method_len);
    request->target = str_make(copy.data + http->method_len + 1, http->target_len);
    request->version_minor = (uint8_t)(http->version[7] - '0');
    request->headers = arena_alloc(&request->arena, http->line_count * sizeof(Header));
    llhttp_init(&http->parser, HTTP_REQUEST, &settings);
    http->parser.data = http;
    if (!execute(http, &copy)) return false;
    buf_deinit(&http->head);
    return true;
}

/* True: the head is complete and good. */
static bool feed_head(Http *http, Str *bytes) {
    Str all = *bytes;
    size_t blank = skip_blank(http, all);
    if (http->fault.status != 0) return false;
    all = str_make(all.data + blank, all.len - blank);
    http->is_busy = http->is_busy || all.len > 0;
    size_t len = scan(http, all);
    *bytes = str_make(all.data + len, all.len - len);
    if (http->fault.status != 0) return false;
    Str head = str_make(all.data, len);
    if (http->head.len > 0 || http->line != LINE_END) {
        buf_add(&http->head, head);
        head = buf_str(&http->head);
    }
    http->has_rest = bytes->len > 0;
    return http->line == LINE_END && read_head(http, head);
}

static bool feed_body(Http *http, Str *bytes) {
    if (bytes->len == 0) return true;
    http->scanned = http->is_chunked ? bytes->data : NULL;
    bool is_good = execute(http, bytes) && chunk_fits(http);
    http->scanned = NULL;
    return is_good;
}

HttpFed http_feed(Http *http, Str bytes, size_t *taken) {
    assert(!http->is_complete);
    Str rest = bytes;
    if (http->fault.status == 0 && (http->is_in_body || feed_head(http, &rest)) && !http->is_complete) {
        feed_body(http, &rest);
    }
    *taken = bytes.len - rest.len;
    if (http->fault.status != 0) return FED_FAULT;
    return http->is_complete ? FED_REQUEST : FED_MORE;
}

/* --- the parser --- */

static void reset(Http *http) {
    *http = (Http){.limits = http->limits, .handler = http->handler, .context = http->context};
}

Http *http_new(const HttpLimits *limits, const HttpHandler *handler, void *context) {
    Http *http = mem_zalloc(sizeof *http);
    http->limits = *limits;
    http->handler = handler;
    http->context = context;
    return http;
}

void http_free(Http *http) {
    if (http == NULL) return;
    request_free(http->request);
    buf_deinit(&http->head);
    mem_free(http);
}

Request *http_take_request(Http *http) {
    assert(http->is_complete);
    Request *request = http->request;
    reset(http);
    return request;
}

const HttpFault *http_fault(const Http *http) {
    return &http->fault;
}

bool http_is_busy(const Http *http) {
    return http->is_busy;
}

bool http_is_in_body(const Http *http) {
    return http->is_in_body && !http->is_complete;
}
