/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/catchup.h"

#include <stdlib.h>

static int compare(const void *a, const void *b) {
    const Missed *one = a;
    const Missed *other = b;
    if (one->sequence != other->sequence) return one->sequence < other->sequence ? -1 : 1;
    return one->target < other->target ? -1 : one->target > other->target;
}

/* Of one event by several channels the first copy, as the request named them. */
static void drop_copies(MissedList *list) {
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (count > 0 && list->items[count - 1].sequence == list->items[i].sequence) {
            notice_release(list->items[i].notice);
        } else {
            list->items[count++] = list->items[i];
        }
    }
    list->count = count;
}

/* Channels that keep nothing can have lost nothing; of those that would, but have no events, some may have
 * been forgotten, or are of a life before. */
static bool is_lost_unseen(History *history, const CatchupQuery *query, Str channel, uint64_t after) {
    const Retention *keep = retention_find(query->rules, channel);
    return keep != NULL && after < history_unseen_lost(history, channel, keep->is_durable);
}

static CatchupResult collect_all(History *history, const CatchupQuery *query, Catchup *catchup) {
    HistoryQuery asked = {query->user, query->session, catchup->had, query->upto, query->now_ms};
    MissedList *list = &catchup->missed;
    for (uint32_t i = 0; i < query->channels->count; i++) {
        Str channel = query->channels->items[i];
        switch (history_collect(history, channel, &asked, list)) {
        case HISTORY_LOST: return CATCHUP_LOST;
        case HISTORY_WHOLE: break;
        case HISTORY_UNKNOWN:
            if (is_lost_unseen(history, query, channel, asked.after)) return CATCHUP_LOST;
        }
        /* Copies are dropped later; the limit is there to bound memory until then. */
        if (list->count / 2 > query->events_max) return CATCHUP_TOO_MANY;
    }
    return CATCHUP_WHOLE;
}

static bool is_within(const CatchupQuery *query, const MissedList *list) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        bytes += message_frame(missed_message(&list->items[i]), MESSAGE_WS)->len;
    }
    return list->count <= query->events_max && bytes <= query->bytes_max;
}

static CatchupResult find(History *history, const CatchupQuery *query, Catchup *catchup) {
    if (!history_parse_id(history, query->after, &catchup->had)) return CATCHUP_UNKNOWN;
    /* The client may have had more, on another worker, than this one has fanned out. */
    if (catchup->had > history_sequence(history)) return CATCHUP_UNKNOWN;
    if (catchup->had >= query->upto) return CATCHUP_WHOLE;
    CatchupResult result = collect_all(history, query, catchup);
    if (result != CATCHUP_WHOLE) return result;
    MissedList *list = &catchup->missed;
    if (list->count > 1) qsort(list->items, list->count, sizeof *list->items, compare);
    drop_copies(list);
    return is_within(query, list) ? CATCHUP_WHOLE : CATCHUP_TOO_MANY;
}

void catchup_find(History *history, const CatchupQuery *query, Catchup *catchup) {
    *catchup = (Catchup){.had = 0};
    catchup->result = find(history, query, catchup);
    if (catchup->result == CATCHUP_WHOLE) return;
    catchup->had = 0;
    missed_deinit(&catchup->missed);
}
