/* SPDX-License-Identifier: Apache-2.0 */
#include "socketio/polling.h"

#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "socketio/eio.h"

enum { BURST_FACTOR = 8 };

Polling *polling_new(Net *net) {
    Polling *polling = mem_zalloc(sizeof *polling);
    polling->net = net;
    outbox_init(&polling->outbox);
    return polling;
}

void polling_free(Polling *polling) {
    ensure(polling->poll.give == NULL && polling->post.give == NULL);
    polling->net->queue_bytes -= polling->outbox.queued;
    outbox_deinit(&polling->outbox);
    mem_free(polling);
}

static bool has_room(const Polling *polling, size_t len) {
    size_t waiting = polling->outbox.queued;
    if (polling->outbox.count == 0) return true;
    if (polling->poll.give == NULL) return net_may_queue(polling->net, waiting, len);
    return waiting + len <= polling->net->limits.queue_bytes_max * BURST_FACTOR;
}

static bool allows(Polling *polling, size_t len) {
    if (has_room(polling, len)) return true;
    Net *net = polling->net;
    net->queue_bytes -= outbox_expire(&polling->outbox, net, 0, net_now_ms(net));
    if (has_room(polling, len)) return true;
    metrics_add(METRIC_slow_readers_total, 1);
    metrics_add(METRIC_limit_hits_total, 1);
    return false;
}

void polling_add(Polling *polling, Bytes *frame) {
    outbox_push(&polling->outbox, frame);
    polling->net->queue_bytes += frame->len;
}

bool polling_send(Polling *polling, Bytes *frame) {
    if (!allows(polling, frame->len)) return false;
    polling_add(polling, frame);
    return true;
}

bool polling_deliver(Polling *polling, const Delivery *delivery) {
    const Message *message = delivery->message;
    Net *net = polling->net;
    bool is_waiting = polling->poll.give == NULL;
    if (is_waiting && message->key != 0)
        net->queue_bytes -= outbox_supersede(&polling->outbox, net, 0, delivery);
    if (!polling_send(polling, delivery->frame)) return false;
    bool has_terms = message->key != 0 || message->ends_ms != 0;
    if (is_waiting && has_terms) outbox_note(&polling->outbox, delivery);
    return true;
}

/* All frames have gone elsewhere. */
static void drop_frames(Polling *polling) {
    size_t len = polling->outbox.queued;
    polling->net->queue_bytes -= len;
    outbox_pop(&polling->outbox, polling->net, len);
}

void polling_move(Polling *polling, bool (*send)(Socket *socket, Bytes *frame), Socket *socket) {
    Bytes **frames = outbox_slots(&polling->outbox) + polling->outbox.first;
    for (uint32_t i = 0; i < polling->outbox.count; i++) send(socket, bytes_retain(frames[i]));
    drop_frames(polling);
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
    Bytes **frames = outbox_slots(&polling->outbox) + polling->outbox.first;
    buf_reserve(&body, polling->outbox.queued);
    for (uint32_t i = 0; i < polling->outbox.count; i++) eio_add_frames(&body, frames[i]);
    drop_frames(polling);
    polling_answer_poll(polling, bytes_copy(buf_str(&body)));
    buf_deinit(&body);
}
