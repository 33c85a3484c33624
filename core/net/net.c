/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"

#include "base/clock.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/conn.h"
#include "net/socket.h"

/* Builds with a sanitizer set a smaller one, so that a few sessions are a crowd. */
#ifndef NET_CROWD_PART
#define NET_CROWD_PART 64
#endif

enum { LOAD_BYTES = 16 * 1024 };
enum { QUEUE_PART = 4, BEATS = 128 /* in an interval of pings */ };

void net_init(Net *net, uv_loop_t *loop, const NetLimits *limits) {
    *net = (Net){.loop = loop, .limits = *limits, .date_second = -1};
    if (clock_is_held()) net_hold(net);
    wheel_init(&net->wheel, net_now_ms(net));
    list_init(&net->deferred);
    pool_init(&net->pool);
    net->line.end = &net->line.first;
    net->crowd.end = &net->crowd.first;
    net->load_bytes = limits->queue_bytes_max < LOAD_BYTES ? limits->queue_bytes_max : LOAD_BYTES;
    poller_init(&net->poller, loop, conn_on_ready);
    list_init(&net->conns);
    list_init(&net->exchanges);
    ws_pool_init(&net->ws_pool, &limits->ws, &socket_ws_handler);
    net->read_buffer = mem_alloc(NET_READ_BUFFER_SIZE);
}

void net_hold(Net *net) {
    net->held_ms = clock_monotonic_ms();
}

void net_deinit(Net *net) {
    ensure(list_is_empty(&net->conns));
    net_flush(net);
    poller_deinit(&net->poller);
    ws_pool_deinit(&net->ws_pool);
    mem_free(net->read_buffer);
    pool_deinit(&net->pool);
}

void net_release_place(Net *net, NetRelease *place, Bytes *bytes) {
    if (place->bytes != NULL) {
        bytes_release_many(place->bytes, place->count);
    } else {
        net->release_places[net->release_count++] = (uint8_t)(place - net->releases);
    }
    *place = (NetRelease){bytes, 0};
}

static void release_all(Net *net) {
    while (net->release_count > 0) {
        NetRelease *place = &net->releases[net->release_places[--net->release_count]];
        bytes_release_many(place->bytes, place->count);
        place->bytes = NULL;
    }
}

static void count(Net *net) {
    metrics_add(METRIC_bytes_sent_total, (int64_t)net->sent_bytes);
    metrics_add(METRIC_queue_bytes, (int64_t)(net->queue_bytes - net->queue_bytes_shown));
    net->sent_bytes = 0;
    net->queue_bytes_shown = net->queue_bytes;
    net->queues_bytes = net->queue_bytes > 0 ? (uint64_t)metrics_sum(METRIC_queue_bytes) : 0;
}

/* A session may have a part of what is left, so that all together never take the whole of it: whoever is
 * slowest ends before anybody's events are refused. */
bool net_may_queue(Net *net, size_t waiting, size_t len) {
    uint64_t max = net->limits.queues_bytes_max;
    uint64_t part = max > net->queues_bytes ? (max - net->queues_bytes) / QUEUE_PART : 0;
    if (waiting + len > part || waiting + len > net->limits.queue_bytes_max) return false;
    net->queues_bytes += len;
    return true;
}

void net_deferred_init(NetDeferred *deferred, void (*run)(NetDeferred *deferred)) {
    list_init(&deferred->link);
    deferred->run = run;
}

void net_defer(Net *net, NetDeferred *deferred) {
    if (list_is_empty(&deferred->link)) list_add(&net->deferred, &deferred->link);
}

static void run_deferred(Net *net) {
    while (!list_is_empty(&net->deferred)) {
        NetDeferred *deferred = list_entry(net->deferred.next, NetDeferred, link);
        list_remove(&deferred->link);
        deferred->run(deferred);
    }
}

void net_answer(Net *net) {
    run_deferred(net);
    conn_flush_line(&net->line, UINT32_MAX);
}

void net_flush(Net *net) {
    net_answer(net);
    conn_flush_line(&net->crowd, net->is_laden ? UINT32_MAX : NET_CROWD_PART);
    conn_flush_line(&net->line, UINT32_MAX); /* what closed, and what was written because of that */
    net->is_laden = false;
    release_all(net);
    count(net);
}

bool net_is_dirty(const Net *net) {
    return net->line.first != NULL || net->crowd.first != NULL || !list_is_empty(&net->deferred);
}

uint64_t net_beat_ms(const Net *net, uint64_t due_ms) {
    uint32_t step_ms = net->limits.ping_interval_ms / BEATS;
    return step_ms > 1 ? (due_ms + step_ms - 1) / step_ms * step_ms : due_ms;
}

const char *net_date(Net *net) {
    int64_t now_ms = clock_wall_ms();
    if (now_ms / 1000 != net->date_second) {
        net->date_second = now_ms / 1000;
        clock_format_http(now_ms, net->date);
    }
    return net->date;
}
