/* SPDX-License-Identifier: Apache-2.0 */
#include "socketio/polling.h"

#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "socketio/eio.h"

enum { BURST_FACTOR = 8, FRAMES_MIN = 8 };

Polling *polling_new(Net *net) {
    Polling *polling = mem_zalloc(sizeof *polling);
    polling->net = net;
    return polling;
}

static void forget_frames(Polling *polling) {
    polling->net->queue_bytes -= polling->bytes;
    polling->bytes = 0;
    polling->count = 0;
    if (polling->cap <= FRAMES_MIN) return;
    mem_free(polling->frames);
    polling->frames = NULL;
    polling->cap = 0;
}

void polling_free(Polling *polling) {
    ensure(polling->poll.give == NULL && polling->post.give == NULL);
    for (uint32_t i = 0; i < polling->count; i++) bytes_release(polling->frames[i]);
    forget_frames(polling);
    mem_free(polling->frames);
    mem_free(polling);
}

static bool has_room(const Polling *polling, size_t len) {
    if (polling->count == 0) return true;
    if (polling->poll.give == NULL) return net_may_queue(polling->net, polling->bytes, len);
    return polling->bytes + len <= polling->net->limits.queue_bytes_max * BURST_FACTOR;
}

bool polling_allows(const Polling *polling, size_t len) {
    if (has_room(polling, len)) return true;
    metrics_add(METRIC_slow_readers_total, 1);
    metrics_add(METRIC_limit_hits_total, 1);
    return false;
}

void polling_add(Polling *polling, Bytes *frame) {
    if (polling->count == polling->cap) {
        polling->cap = polling->cap == 0 ? FRAMES_MIN : polling->cap * 2;
        polling->frames = mem_grow(polling->frames, polling->cap, sizeof *polling->frames);
    }
    polling->frames[polling->count++] = frame;
    polling->bytes += frame->len;
    polling->net->queue_bytes += frame->len;
}

void polling_move(Polling *polling, bool (*send)(Socket *socket, Bytes *frame), Socket *socket) {
    for (uint32_t i = 0; i < polling->count; i++) send(socket, polling->frames[i]);
    forget_frames(polling);
}

void polling_answer(PollingAnswer *answer, const char *code, Bytes *body) {
    PollingAnswer copy = *answer;
    *answer = (PollingAnswer){NULL, NULL};
    if (copy.give != NULL) {
        copy.give(copy.waiter, code, body);
    } else {
        bytes_release(body);
    }
}

void polling_answer_poll(Polling *polling, Bytes *body) {
    if (polling->poll.give != NULL) metrics_add(METRIC_polls_waiting, -1);
    polling_answer(&polling->poll, NULL, body);
}

void polling_flush(Polling *polling) {
    Buf body = BUF_NONE;
    buf_reserve(&body, polling->bytes);
    for (uint32_t i = 0; i < polling->count; i++) {
        eio_add_frames(&body, polling->frames[i]);
        net_release(polling->net, polling->frames[i]);
    }
    forget_frames(polling);
    polling_answer_poll(polling, bytes_copy(buf_str(&body)));
    buf_deinit(&body);
}
