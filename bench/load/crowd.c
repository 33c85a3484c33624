/* SPDX-License-Identifier: Apache-2.0 */
#include "crowd.h"

#include <stdio.h>

#include "base/mem.h"
#include "frame.h"
#include "mint.h"
#include "template.h"
#include "wire.h"

enum {
    OPENING_MAX = 64, /* sessions that connect at a time */
    SCRATCH_MIN = 262144,
    CURSOR_MAX = 31,
    CLOSE_NORMAL = 1000
};

static const double NS_PER_SECOND = 1e9;

/* The example of RFC 6455 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define CURSOR_KEY "\"id\":\""
#define SOCKET_HEADERS                                                     \
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: " \
    "13\r\nSec-WebSocket-Key: " KEY "\r\n"
#define STREAM_HEADERS "Accept: text/event-stream\r\n"

typedef enum State {
    STATE_NONE,
    STATE_OPENING,
    STATE_GREETING,
    STATE_LIVE,
    STATE_LEAVING,
    STATE_GONE
} State;

typedef struct Session {
    Wire wire; /* first, so that a Wire is its Session */
    Crowd *crowd;
    Buf in; /* the beginning of what is not all there */
    State state;
    int step;                    /* of the plan's, that comes next */
    bool is_told;                /* the server answered its goodbye */
    char cursor[CURSOR_MAX + 1]; /* the last id that came; kept only for a replay */
} Session;

struct Crowd {
    CrowdParts parts;
    Mint *mint;
    Session *items;
    size_t count, wanted, opened, connected, gone, slow_cut; /* wanted: to be connected now */
    bool is_back;                                            /* they were cut, and come again */
    char *scratch;                                           /* where everybody reads into */
    size_t scratch_cap;
    Histogram *latencies;
};

static size_t index_of(const Session *session) {
    return (size_t)(session - session->crowd->items);
}

static bool is_slow(const Session *session) {
    return index_of(session) >= session->crowd->parts.check->sessions;
}

static Bytes *make_token(Crowd *crowd, Str user) {
    Bytes *token = NULL;
    if (mint_make(crowd->mint, user, &token) != 0) {
        loop_tell(crowd->parts.loop, "no token can be made: JWT_SECRET is missing");
    }
    return token;
}

static void fill_text(Session *session, Str text, Buf *out) {
    Crowd *crowd = session->crowd;
    char user[32];
    char channel[32];
    snprintf(user, sizeof user, "bench-%zu", index_of(session));
    snprintf(channel, sizeof channel, "bench-%zu", index_of(session) % crowd->parts.check->channels);
    Bytes *token = template_has(text, STR("token")) ? make_token(crowd, str_of(user)) : NULL;
    const TemplateField fields[] = {{STR("user"), str_of(user)},
                                    {STR("channel"), str_of(channel)},
                                    {STR("token"), token ? bytes_str(token) : STR_NONE},
                                    {STR("after"), str_of(session->cursor)},
                                    {STR_NONE, STR_NONE}};
    template_fill(out, text, fields);
    if (token != NULL) bytes_release(token);
}

static void send_frame(Session *session, int opcode, Str payload) {
    Buf frame = BUF_NONE;
    frame_add(&frame, opcode, payload);
    wire_send(&session->wire, buf_str(&frame));
    buf_deinit(&frame);
}

static void send_handshake(Session *session) {
    const Plan *plan = session->crowd->parts.plan;
    Buf out = BUF_NONE;
    buf_add(&out, STR("GET "));
    fill_text(session, session->crowd->is_back ? plan->reconnect_path : plan->connect_path, &out);
    buf_addf(&out, " HTTP/1.1\r\nHost: %s:%d\r\n", plan->host,
             ntohs(session->crowd->parts.server->sin_port));
    buf_add(&out, plan->stream ? STR(STREAM_HEADERS) : STR(SOCKET_HEADERS));
    fill_text(session, plan->connect_header, &out);
    if (plan->connect_header.len > 0) buf_add(&out, STR("\r\n"));
    buf_add(&out, STR("\r\n"));
    wire_send(&session->wire, buf_str(&out));
    buf_deinit(&out);
}

static void on_readable(Wire *wire);

static void open_more(Crowd *crowd) {
    while (crowd->opened < crowd->wanted && crowd->opened - crowd->connected < OPENING_MAX) {
        Session *session = &crowd->items[crowd->opened++];
        session->crowd = crowd;
        session->state = STATE_OPENING;
        wire_open(&session->wire, crowd->parts.loop, crowd->parts.server, is_slow(session),
                  on_readable);
        send_handshake(session);
    }
}

/* Sends what the plan has at this step, up to the next frame to wait for. */
static void go_on_greeting(Session *session) {
    const Plan *plan = session->crowd->parts.plan;
    while (session->step < plan->step_count && plan->steps[session->step].is_send) {
        Buf text = BUF_NONE;
        fill_text(session, plan->steps[session->step++].text, &text);
        send_frame(session, FRAME_TEXT, buf_str(&text));
        buf_deinit(&text);
    }
    if (session->step < plan->step_count) return;
    session->state = STATE_LIVE;
    session->crowd->connected++;
    if (is_slow(session)) wire_stop_reading(&session->wire);
    open_more(session->crowd);
}

static bool holds(Str text, Str part) {
    return text.len > 0 && memmem(text.data, text.len, part.data, part.len) != NULL;
}

/* The id is the last member of an event. */
static void keep_cursor(Session *session, Str text) {
    size_t key = sizeof CURSOR_KEY - 1;
    for (size_t at = text.len; at-- > 0;) {
        if (text.len - at < key || memcmp(text.data + at, CURSOR_KEY, key) != 0) continue;
        const char *begin = text.data + at + key;
        const char *quote = memchr(begin, '"', text.len - at - key);
        if (quote == NULL || quote - begin > CURSOR_MAX) return;
        snprintf(session->cursor, sizeof session->cursor, "%.*s", (int)(quote - begin), begin);
        return;
    }
}

static void hear(Session *session, Str text) {
    Crowd *crowd = session->crowd;
    const Plan *plan = crowd->parts.plan;
    if (session->state == STATE_GREETING && holds(text, plan->steps[session->step].text)) {
        session->step++;
        go_on_greeting(session);
        return;
    }
    if (plan->ping.len > 0 && str_equal(text, plan->ping)) {
        send_frame(session, FRAME_TEXT, plan->pong);
        return;
    }
    if (is_slow(session)) return;
    if (plan->replay > 0) keep_cursor(session, text);
    uint64_t now = crowd->latencies ? loop_now_ns() : 0;
    Stamp stamp;
    while (stamp_take(&text, &stamp)) {
        check_see(crowd->parts.check, index_of(session), &stamp);
        if (crowd->latencies != NULL) histogram_add(crowd->latencies, now - stamp.sent_ns);
    }
}

static void hear_close(Session *session, Str payload) {
    int code =
        payload.len >= 2 ? (unsigned char)payload.data[0] << 8 | (unsigned char)payload.data[1] : 0;
    session->is_told = code == CLOSE_NORMAL;
    if (session->state == STATE_LEAVING) return;
    loop_tell(session->crowd->parts.loop, "the server closed session %zu with %d", index_of(session),
              code);
}

static void take_frame(Session *session, const Frame *frame) {
    switch (frame->opcode) {
    case FRAME_PING: send_frame(session, FRAME_PONG, frame->payload); break;
    case FRAME_PONG: break;
    case FRAME_CLOSE: hear_close(session, frame->payload); break;
    default: hear(session, frame->payload); break;
    }
}

/* Takes the answer to the handshake from the front, when it is all there. */
static void take_handshake(Session *session, Str *text) {
    const char *end = text->len ? memmem(text->data, text->len, "\r\n\r\n", 4) : NULL;
    if (end == NULL) return;
    size_t len = (size_t)(end - text->data) + 4;
    Str head = str_make(text->data, len);
    bool is_stream = session->crowd->parts.plan->stream;
    bool is_good = is_stream ? str_has_prefix(head, STR("HTTP/1.1 200"))
                             : str_has_prefix(head, STR("HTTP/1.1 101")) && holds(head, STR(ACCEPT));
    if (!is_good) {
        Str line;
        Str rest;
        str_split(head, '\r', &line, &rest);
        loop_tell(session->crowd->parts.loop, "the handshake of session %zu was answered: %.*s",
                  index_of(session), STR_ARG(line));
        return;
    }
    *text = str_make(text->data + len, text->len - len);
    session->state = STATE_GREETING;
    go_on_greeting(session);
}

/* A stream is heard up to its last line that is whole; what stands between the chunks of a chunked answer
 * holds no stamp. */
static void take_events(Session *session, Str *text) {
    Frame frame;
    if (!session->crowd->parts.plan->stream) {
        while (frame_take(text, &frame)) take_frame(session, &frame);
        return;
    }
    const char *end = text->len ? memrchr(text->data, '\n', text->len) : NULL;
    if (end == NULL) return;
    size_t len = (size_t)(end - text->data) + 1;
    hear(session, str_make(text->data, len));
    *text = str_make(text->data + len, text->len - len);
}

static void take_bytes(Session *session, Str text) {
    if (session->state == STATE_OPENING) take_handshake(session, &text);
    if (session->state != STATE_OPENING) take_events(session, &text);
    buf_clear(&session->in);
    if (text.len > 0) {
        buf_add(&session->in, text);
    } else {
        buf_deinit(&session->in);
    }
}

static void end(Session *session) {
    Crowd *crowd = session->crowd;
    if (is_slow(session)) {
        crowd->slow_cut += !session->is_told;
    } else if (session->state != STATE_LEAVING) {
        loop_tell(crowd->parts.loop, "the server cut session %zu", index_of(session));
    }
    session->state = STATE_GONE;
    crowd->gone++;
    wire_close(&session->wire);
    buf_deinit(&session->in);
}

static void on_readable(Wire *wire) {
    Session *session = (Session *)wire;
    Crowd *crowd = session->crowd;
    size_t kept = session->in.len;
    if (kept >= crowd->scratch_cap) {
        loop_tell(crowd->parts.loop, "a frame is larger than any that was asked for");
        return;
    }
    if (kept > 0) memcpy(crowd->scratch, session->in.data, kept);
    int len = wire_read(wire, crowd->scratch + kept, crowd->scratch_cap - kept);
    if (len == ERR_UNAVAILABLE) return;
    if (len <= 0) {
        end(session);
    } else {
        take_bytes(session, str_make(crowd->scratch, kept + (size_t)len));
    }
}

int crowd_new(const CrowdParts *parts, Crowd **crowd) {
    Mint *mint = NULL;
    if (mint_new(parts->plan, &mint) != 0) return ERR_INVALID;
    Crowd *made = mem_zalloc(sizeof *made);
    made->parts = *parts;
    made->mint = mint;
    made->count = (size_t)parts->plan->sessions;
    made->items = mem_zalloc((made->count + 1) * sizeof *made->items);
    made->scratch_cap = SCRATCH_MIN + 2 * (size_t)parts->plan->size;
    made->scratch = mem_alloc(made->scratch_cap);
    *crowd = made;
    return 0;
}

void crowd_free(Crowd *crowd) {
    if (crowd == NULL) return;
    for (size_t i = 0; i < crowd->opened; i++) {
        wire_close(&crowd->items[i].wire);
        buf_deinit(&crowd->items[i].in);
    }
    mint_free(crowd->mint);
    mem_free(crowd->items);
    mem_free(crowd->scratch);
    mem_free(crowd);
}

static bool is_connected(void *context) {
    const Crowd *crowd = context;
    return crowd->connected == crowd->wanted;
}

static uint64_t count_connected(void *context) {
    return crowd_connected(context);
}

static uint64_t patience_ns(const Crowd *crowd) {
    return (uint64_t)(crowd->parts.plan->patience * NS_PER_SECOND);
}

int crowd_connect(Crowd *crowd, size_t count) {
    crowd->wanted = count;
    open_more(crowd);
    LoopGoal goal = {is_connected, count_connected, crowd, patience_ns(crowd)};
    return loop_until(crowd->parts.loop, &goal);
}

void crowd_cut(Crowd *crowd) {
    for (size_t i = 0; i < crowd->opened; i++) {
        Session *session = &crowd->items[i];
        wire_close(&session->wire);
        buf_deinit(&session->in);
        session->state = STATE_NONE;
        session->step = 0;
    }
    crowd->opened = crowd->connected = 0;
    crowd->is_back = true;
}

static bool is_gone(void *context) {
    const Crowd *crowd = context;
    return crowd->gone == crowd->count;
}

static uint64_t count_gone(void *context) {
    return ((const Crowd *)context)->gone;
}

int crowd_leave(Crowd *crowd) {
    const char code[] = {(char)(CLOSE_NORMAL >> 8), (char)(CLOSE_NORMAL & 0xFF)};
    for (size_t i = 0; i < crowd->count; i++) {
        Session *session = &crowd->items[i];
        if (session->state == STATE_GONE) continue;
        session->state = STATE_LEAVING;
        if (crowd->parts.plan->stream) {
            end(session);
            continue;
        }
        if (is_slow(session)) wire_start_reading(&session->wire);
        send_frame(session, FRAME_CLOSE, str_make(code, sizeof code));
    }
    LoopGoal goal = {is_gone, count_gone, crowd, patience_ns(crowd)};
    return loop_until(crowd->parts.loop, &goal);
}

size_t crowd_slow_cut(const Crowd *crowd) {
    return crowd->slow_cut;
}

size_t crowd_connected(const Crowd *crowd) {
    return crowd->connected;
}

void crowd_note(Crowd *crowd, Histogram *latencies) {
    crowd->latencies = latencies;
}
