/* SPDX-License-Identifier: Apache-2.0
 *
 * history: the events that channels keep, of the whole node, and the order in which they were emitted.
 * It gives every kept event its sequence, under one lock that is held while the event enters the
 * inboxes of all workers: so each worker meets kept events in rising sequence, whatever their channels,
 * and one number says where a session stands in all of them. Events are kept as references to their
 * Notice. Bounded per channel (Retention) and in bytes of the node. Any thread.
 *
 * Sequences above: the position of the last durable event in the Journal. Below: the kept events since. So
 * that of a durable event is known when it is written to the disk, before it is emitted, and stays the same
 * in the lives to come.
 */
#ifndef HUB_HISTORY_H
#define HUB_HISTORY_H

#include "hub/lives.h"
#include "hub/notice.h"
#include "hub/trims.h"

enum { HISTORY_POSITION_SHIFT = 22 };

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

/* `epoch` tells this life of the node from others. Gives. */
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

/* No channel keeps anything, so that there is nothing to note. Not locked. */
bool history_is_empty(History *history);

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

/* Of a channel that has no history now: every sequence up to it may have been lost. Not locked. */
uint64_t history_unseen_lost(History *history, Str channel, bool is_durable);

/* --- what the Journal (journal.h) has to do with it; not locked --- */

/* The journal takes notes from now on. Gives the position behind all that there was. */
uint64_t history_open_journal(History *history);

/* It takes none, because it could not be opened: nothing gives places in its order then. */
void history_close_journal(History *history);

/* So many kept events came since the last durable one that the next one must go through the journal too, to get
 * a position. Never without one. */
bool history_is_crowded(const History *history);

/* Appends what the journal may forget since this was asked last, if there is as much. */
void history_take_trims(History *history, uint32_t count_min, Trims *trims);

/* Channels may be durable from now on that were not, and the reverse. */
void history_change_rules(History *history);

/* With durable channels that are forgotten all up to it may be lost. */
uint64_t history_forgotten(History *history);

/* With the channels that are not durable all up to it is lost, if the process ends now. Walks all channels. */
uint64_t history_passing_lost(History *history);

/* --- going on where the life before ended; no other thread has it yet --- */

typedef struct HistoryPast {
    Lives lives;
    RetentionRules rules;  /* of then */
    uint64_t position;     /* the last one that was given */
    uint64_t forgotten;    /* as history_forgotten told */
    uint64_t passing_lost; /* as history_passing_lost told; UINT64_MAX: nobody asked */
} HistoryPast;

/* Takes what the past holds. The order of the calls is that in which they stand here. */
void history_resume(History *history, const HistoryPast *past, uint64_t epoch);
void history_restore_channel(History *history, Str name, uint64_t lost, uint64_t now_ms);

/* The sequence and the ids that the notice has by its position. */
void history_number(const History *history, Notice *notice);

/* One that was emitted age_ms ago, the oldest first. Gives how many channels still keep it. */
uint32_t history_restore(History *history, Notice *notice, uint64_t age_ms, uint64_t now_ms);
void history_restore_newcomer(History *history, Str user, Str channel, uint64_t since, uint64_t now_ms);
bool history_has_past(const History *history);
const Lives *history_lives(const History *history);
const RetentionRules *history_past_rules(const History *history);

void missed_deinit(MissedList *list); /* releases the notices */

#endif
