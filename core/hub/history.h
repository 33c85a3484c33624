/* SPDX-License-Identifier: Apache-2.0
 *
 * history: the events that channels keep, of the whole node, and the order in which they were emitted.
 * It gives every kept event its sequence, under one lock that is held while the event enters the
 * inboxes of all workers: so each worker meets kept events in rising sequence, whatever their channels,
 * and one number says where a session stands in all of them. Events are kept as references to their
 * Notice. Bounded per channel (Retention) and in bytes of the node. Any thread.
 */
#ifndef HUB_HISTORY_H
#define HUB_HISTORY_H

#include "hub/notice.h"

typedef struct History History;

/* An event that somebody missed; holds a reference of the notice. */
typedef struct Missed {
    Notice *notice;
    uint64_t sequence;
    uint32_t target; /* index of the channel by which it came */
} Missed;

typedef struct MissedList {
    Missed *items;
    size_t count;
    size_t cap;
} MissedList;

/* Whose events, and which: behind `after`, up to `upto`. */
typedef struct HistoryQuery {
    Str user;
    Str session; /* its id */
    uint64_t after;
    uint64_t upto;
    uint64_t now_ms;
} HistoryQuery;

typedef enum { HISTORY_UNKNOWN, HISTORY_WHOLE, HISTORY_LOST } HistoryAnswer;

/* `epoch` tells this life of the node from others: ids of another one mean nothing here. Gives. */
History *history_new(uint64_t epoch, uint64_t bytes_max);
void history_free(History *history); /* takes; NULL is fine */

/* The opaque id that clients hold of a sequence; ids grow as sequences do. */
void history_encode_id(const History *history, uint64_t sequence, char id[MESSAGE_ID_LEN]);
bool history_parse_id(const History *history, Str id, uint64_t *sequence); /* false: not of ours */

/* The lock of the order; inside those of the channels (bus.h). */
void history_lock(History *history);
void history_unlock(History *history);

/* Locked: gives the notice its sequence and its messages their ids, and keeps them for those of its
 * channels that keep anything. Times are monotonic milliseconds. */
void history_add(History *history, Notice *notice, uint64_t now_ms);

/* The user is subscribed to the channel from now on: what it kept before is not his. Not locked. */
void history_note(History *history, Str user, Str channel, uint64_t now_ms);

/* Appends what a subscriber of the channel missed, newest first. LOST: something of it is not there any
 * more; UNKNOWN: the channel has no history. Not locked. */
HistoryAnswer history_collect(History *history, Str channel, const HistoryQuery *query,
                              MissedList *list);

/* Drops what has outlived its time, of a part of the channels. False: that were all of them. Not locked; call it
 * again and again. */
bool history_sweep(History *history, uint64_t now_ms);

/* The last one that was given. Not locked. */
uint64_t history_sequence(History *history);

/* Every sequence up to it may have been lost with channels that are forgotten. Not locked. */
uint64_t history_forgotten(History *history);

/* --- outliving the process, see snapshot.h; not locked, no other thread has it --- */

typedef struct HistoryHead {
    uint64_t epoch;
    uint64_t sequence;
    uint64_t forgotten;
} HistoryHead;

/* Called by history_each: for a channel, then for each of its newcomers, and behind all channels for their
 * events, oldest first. Borrows. */
typedef struct HistoryReader {
    void (*on_channel)(void *context, Str name, uint64_t lost_sequence);
    void (*on_newcomer)(void *context, Str user, uint64_t since);
    void (*on_event)(void *context, const Notice *notice, uint32_t target, uint64_t ends_ms);
    void *context;
} HistoryReader;

/* A channel is durable, so there is something to keep. Any thread. */
void history_make_durable(History *history);
bool history_is_durable(const History *history);

/* Lets go of the channels that are not durable, as of what is lost. */
void history_forget_passing(History *history);
HistoryHead history_head(const History *history);
void history_each(const History *history, const HistoryReader *reader);

/* The reverse, into one that is new. Ids of the epoch are good again up to head->sequence; those of new
 * events are above `base`. */
void history_restore(History *history, const HistoryHead *head, uint64_t base);
void history_restore_channel(History *history, Str name, uint64_t lost_sequence, uint64_t now_ms);
void history_restore_newcomer(History *history, Str channel, Str user, uint64_t since);
void history_restore_event(History *history, Notice *notice, uint32_t target, uint64_t ends_ms,
                           uint64_t now_ms);

void missed_deinit(MissedList *list); /* releases the notices */

#endif
