/* SPDX-License-Identifier: Apache-2.0 */
#include "callers.h"

#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "wire.h"

enum { READ_CAP = 65536, STATUS_AT = 9, STATUS_LEN = 3 };

static const uint64_t ANSWER_TIMEOUT_NS = 30000000000u;

typedef struct Caller {
    Wire wire; /* first, so that a Wire is its Caller */
    Callers *callers;
    size_t index;
    Buf in;         /* of an answer that is not all there */
    uint64_t *sent; /* a ring of depth: when the requests under way were sent */
    size_t first, under_way;
} Caller;

struct Callers {
    Loop *loop;
    CallersJob job;
    Caller *items;
    size_t count, depth, under_way;
    uint64_t answered;
    Buf request;
};

/* Fills the connection with requests; those of one go go out as one write. */
static void fill(Caller *caller) {
    Callers *callers = caller->callers;
    buf_clear(&callers->request);
    size_t before = caller->under_way;
    while (caller->under_way < callers->depth &&
           callers->job.next(callers->job.context, caller->index, &callers->request)) {
        caller->under_way++;
        callers->under_way++;
    }
    if (callers->request.len == 0) return;
    uint64_t now = loop_now_ns();
    for (size_t i = before; i < caller->under_way; i++) {
        caller->sent[(caller->first + i) % callers->depth] = now;
    }
    wire_send(&caller->wire, buf_str(&callers->request));
}

/* The value of a header, without the blanks before it; empty when there is none. */
static Str find_header(Str head, const char *name) {
    size_t len = strlen(name);
    Str line;
    while (str_split(head, '\n', &line, &head)) {
        if (line.len <= len || strncasecmp(line.data, name, len) != 0) continue;
        return str_trim(str_make(line.data + len, line.len - len));
    }
    return STR_NONE;
}

/* Takes one whole answer from the front; 1: taken, 0: not all there, negative: not understood. */
static int take_answer(Str *text, CallersAnswer *answer) {
    const char *end = text->len ? memmem(text->data, text->len, "\r\n\r\n", 4) : NULL;
    if (end == NULL) return 0;
    Str head = str_make(text->data, (size_t)(end - text->data) + 2);
    int64_t status;
    int64_t length = 0;
    if (head.len < STATUS_AT + STATUS_LEN) return ERR_INVALID;
    if (text_parse_number(str_make(head.data + STATUS_AT, STATUS_LEN), &status) != 0)
        return ERR_INVALID;
    Str value = find_header(head, "content-length:");
    bool has_length = text_parse_number(value, &length) == 0;
    if (!has_length && status != 204) return ERR_INVALID;
    size_t total = head.len + 2 + (size_t)length;
    if (text->len < total) return 0;
    answer->status = (int)status;
    answer->body = str_make(text->data + head.len + 2, (size_t)length);
    *text = str_make(text->data + total, text->len - total);
    return 1;
}

static void finish_request(Caller *caller, CallersAnswer *answer) {
    Callers *callers = caller->callers;
    answer->caller = caller->index;
    answer->took_ns = loop_now_ns() - caller->sent[caller->first];
    caller->first = (caller->first + 1) % callers->depth;
    caller->under_way--;
    callers->under_way--;
    callers->answered++;
    callers->job.answered(callers->job.context, answer);
}

static void read_answers(Caller *caller) {
    Str text = buf_str(&caller->in);
    CallersAnswer answer;
    int taken = 0;
    while (caller->under_way > 0 && (taken = take_answer(&text, &answer)) > 0)
        finish_request(caller, &answer);
    if (taken < 0) loop_tell(caller->callers->loop, "an answer that is no HTTP with Content-Length");
    buf_consume(&caller->in, caller->in.len - text.len);
}

static void on_readable(Wire *wire) {
    Caller *caller = (Caller *)wire;
    buf_reserve(&caller->in, READ_CAP);
    int len = wire_read(wire, caller->in.data + caller->in.len, READ_CAP);
    if (len == ERR_UNAVAILABLE) return;
    if (len <= 0) {
        loop_tell(caller->callers->loop, "the server closed an HTTP connection");
        wire_close(wire);
        return;
    }
    caller->in.len += (size_t)len;
    read_answers(caller);
    fill(caller);
}

static bool next_of_none(void *context, size_t caller, Buf *request) {
    (void)context, (void)caller, (void)request;
    return false;
}

Callers *callers_open(Loop *loop, const struct sockaddr_in *server, size_t count, size_t depth) {
    Callers *callers = mem_zalloc(sizeof *callers);
    *callers = (Callers){.loop = loop, .count = count, .depth = depth, .job = {.next = next_of_none}};
    callers->items = mem_zalloc(count * sizeof *callers->items);
    for (size_t i = 0; i < count; i++) {
        Caller *caller = &callers->items[i];
        caller->callers = callers;
        caller->index = i;
        caller->sent = mem_zalloc(depth * sizeof *caller->sent);
        wire_open(&caller->wire, loop, server, false, on_readable);
    }
    return callers;
}

void callers_close(Callers *callers) {
    if (callers == NULL) return;
    for (size_t i = 0; i < callers->count; i++) {
        wire_close(&callers->items[i].wire);
        buf_deinit(&callers->items[i].in);
        mem_free(callers->items[i].sent);
    }
    buf_deinit(&callers->request);
    mem_free(callers->items);
    mem_free(callers);
}

void callers_start(Callers *callers, const CallersJob *job) {
    callers->job = *job;
    callers_kick(callers);
}

void callers_kick_one(Callers *callers, size_t caller) {
    fill(&callers->items[caller]);
}

void callers_kick(Callers *callers) {
    for (size_t i = 0; i < callers->count; i++) fill(&callers->items[i]);
}

size_t callers_under_way(const Callers *callers) {
    return callers->under_way;
}

uint64_t callers_answered(const Callers *callers) {
    return callers->answered;
}

static bool is_idle(void *context) {
    return callers_under_way(context) == 0;
}

static uint64_t progress(void *context) {
    return callers_answered(context);
}

int callers_run(Callers *callers, const CallersJob *job) {
    callers_start(callers, job);
    LoopGoal goal = {is_idle, progress, callers, ANSWER_TIMEOUT_NS};
    return loop_until(callers->loop, &goal);
}

void callers_add_post(Buf *out, const CallersPost *post) {
    buf_add(out, STR("POST "));
    buf_add(out, post->path);
    buf_add(out, STR(" HTTP/1.1\r\nHost: "));
    buf_add(out, post->host);
    buf_add(out, STR("\r\nContent-Type: application/json\r\n"));
    buf_add(out, post->headers);
    buf_addf(out, "Content-Length: %zu\r\n\r\n", post->body.len);
    buf_add(out, post->body);
}
