/* SPDX-License-Identifier: Apache-2.0
 *
 * Lanes that closed are taken out when the engine wakes us at the end of the turn, never while somebody
 * walks the sessions of a user.
 */
#include "socketio/mux.h"

#include "base/mem.h"
#include "net/ws.h"
#include "socketio/eio.h"
#include "socketio/lane.h"

struct Mux {
    Engine *engine; /* NULL: it closed */
    MuxOwner owner;
    Sio sio;
    Lane *lanes;
    Address remote;
    Bytes *token;        /* NULL: none */
    uint64_t connect_ms; /* when a lane must be there */
    uint32_t lane_count;
    uint32_t full_count; /* lanes that hold the engine */
};

Address mux_remote(const Mux *mux) {
    return mux->remote;
}

Str mux_token(const Mux *mux) {
    return mux->token != NULL ? bytes_str(mux->token) : STR_NONE;
}

Net *mux_net(const Mux *mux) {
    return engine_net(mux->engine);
}

static uint64_t now_of(const Mux *mux) {
    return net_now_ms(engine_net(mux->engine));
}

void mux_arm(Mux *mux) {
    uint64_t deadline_ms = mux->lanes == NULL ? mux->connect_ms : 0;
    for (const Lane *lane = mux->lanes; lane != NULL; lane = lane->next) {
        bool is_sooner = deadline_ms == 0 || lane->deadline_ms < deadline_ms;
        if (lane->deadline_ms != 0 && is_sooner) deadline_ms = lane->deadline_ms;
    }
    engine_set_deadline(mux->engine, deadline_ms);
}

static const NetLimits *limits_of(const Mux *mux) {
    return &engine_net(mux->engine)->limits;
}

static void expect_connect(Mux *mux) {
    mux->connect_ms = now_of(mux) + limits_of(mux)->connect_timeout_ms;
}

void mux_hold(Mux *mux) {
    if (mux->full_count++ == 0) engine_hold(mux->engine);
}

void mux_release(Mux *mux) {
    if (--mux->full_count == 0) engine_resume(mux->engine);
}

/* --- lanes --- */

static Lane *find_lane(const Mux *mux, Str name) {
    Lane *lane = mux->lanes;
    while (lane != NULL && (lane->close_code != 0 || !str_equal(lane_name(lane), name)))
        lane = lane->next;
    return lane;
}

static void remove_closed(Mux *mux) {
    Lane **at = &mux->lanes;
    while (*at != NULL) {
        Lane *lane = *at;
        if (lane->close_code == 0) {
            at = &lane->next;
            continue;
        }
        *at = lane->next;
        mux->lane_count--;
        if (mux->lanes == NULL) expect_connect(mux);
        lane_free(lane, 0, STR_NONE);
        at = &mux->lanes; /* who was told may have closed others */
    }
}

static void drop_token(Mux *mux) {
    bytes_release(mux->token);
    mux->token = NULL;
}

static bool add_lane(Mux *mux, const SioPacket *packet) {
    if (find_lane(mux, packet->name_space) != NULL) return false;
    if (mux->lane_count >= limits_of(mux)->namespaces_max) return false;
    Session *session = mux->owner.handler->on_open(mux->owner.context, mux);
    Lane *lane = lane_new(mux, mux->engine, packet->name_space, session);
    lane->next = mux->lanes;
    mux->lanes = lane;
    mux->lane_count++;
    lane_note_auth(lane, packet->auth);
    mux->owner.handler->on_connect(mux->owner.context, mux, session, packet->auth);
    if (!mux->owner.keeps_token) drop_token(mux);
    return true;
}

/* False: nothing that a client may send now. What is for a namespace that we ended may have crossed our
 * message of that. */
static bool take_packet(Mux *mux, const SioPacket *packet) {
    if (packet->type == SIO_CONNECT) return add_lane(mux, packet);
    Lane *lane = find_lane(mux, packet->name_space);
    if (lane == NULL) return mux->lanes != NULL;
    if (packet->type == SIO_DISCONNECT) {
        lane_leave(lane);
    } else {
        lane_take(lane, packet);
    }
    return true;
}

/* --- what the engine calls --- */

static void on_message(void *owner, bool is_binary, Str payload) {
    Mux *mux = owner;
    SioPacket packet;
    SioLimits limits = {limits_of(mux)->attachments_max, limits_of(mux)->json_depth_max};
    SioFed fed = sio_feed(&mux->sio, &limits, is_binary, payload, &packet);
    if (fed == SIO_FED_MORE && mux->lanes != NULL) return; /* strangers have no parts kept */
    if (fed == SIO_FED_PACKET && take_packet(mux, &packet)) return;
    engine_end(mux->engine, WS_CODE_PROTOCOL, STR("malformed packet"), EIO_CLOSE);
}

static void on_timer(void *owner) {
    Mux *mux = owner;
    uint64_t now_ms = now_of(mux);
    for (Lane *lane = mux->lanes; lane != NULL; lane = lane->next) lane_on_time(lane, now_ms);
    remove_closed(mux);
    if (mux->lanes == NULL && now_ms >= mux->connect_ms) {
        engine_close(mux->engine, 4500, STR("no namespace was connected in time"));
    } else {
        mux_arm(mux);
    }
}

static void on_close(void *owner, uint16_t code, Str reason) {
    Mux *mux = owner;
    for (Lane *lane = mux->lanes; lane != NULL; lane = lane->next) lane->engine = NULL;
    while (mux->lanes != NULL) {
        Lane *lane = mux->lanes;
        mux->lanes = lane->next;
        lane_free(lane, code, reason);
    }
    sio_deinit(&mux->sio);
    bytes_release(mux->token);
    mem_free(mux);
}

static const SocketHandler engine_handler = {
    .on_message = on_message, .on_timer = on_timer, .on_close = on_close};

static Mux *mux_new(const MuxOwner *owner, const Request *request, Str token) {
    Mux *mux = mem_zalloc(sizeof *mux);
    mux->owner = *owner;
    sio_init(&mux->sio);
    mux->remote = request->remote;
    if (token.len > 0) mux->token = bytes_copy(token);
    return mux;
}

static void start(Mux *mux) {
    mux->engine->is_text_only = mux->owner.is_text_only;
    expect_connect(mux);
    mux_arm(mux);
}

void mux_open(struct Engines *engines, const MuxOwner *owner, const Request *request, Str token,
              Buf *answer) {
    Mux *mux = mux_new(owner, request, token);
    mux->engine = engine_open(engines, &engine_handler, mux, answer);
    start(mux);
}

int mux_open_socket(struct Engines *engines, const MuxOwner *owner, Request *request, Str token) {
    Mux *mux = mux_new(owner, request, token);
    int err = engine_open_socket(engines, request, &engine_handler, mux, &mux->engine);
    if (err == 0) {
        start(mux);
        return 0;
    }
    bytes_release(mux->token);
    mem_free(mux);
    return err;
}
