/* SPDX-License-Identifier: Apache-2.0
 *
 * bus: how an operation reaches those who carry it out, in order. It knows the inboxes of all workers,
 * of the roster and of reloads. An event enters all inboxes under the locks of its channels, so that all workers
 * see the events of one channel in one order; and since inboxes are first in, first out, a notify that
 * follows the answer to a subscribe finds the subscription applied. Any thread.
 */
#ifndef HUB_BUS_H
#define HUB_BUS_H

#include "hub/history.h"
#include "hub/inbox.h"

enum { BUS_SHARDS = 64, BUS_WORKERS_MAX = 256 };

typedef struct Bus {
    Inbox *workers[BUS_WORKERS_MAX]; /* set before the threads start, then read only; borrowed */
    unsigned worker_count;
    Inbox *roster;
    Inbox *reload;
    History *history;                   /* borrowed; NULL: nothing is kept */
    pthread_mutex_t shards[BUS_SHARDS]; /* the order of the channels whose hash falls here */
} Bus;

void bus_init(Bus *bus);
void bus_deinit(Bus *bus);

/* What a question to all workers answers; it runs at the worker `origin`, once. An OpOnTally may close the rows
 * of its tally. */
typedef void (*BusOnCount)(void *waiter, uint64_t sessions);
typedef void (*BusOnTexts)(void *waiter, Bytes *const *texts, unsigned count); /* borrows */

/* Emits to all workers. `answer`, an answered Op, gets into the inbox of its origin in one step with the event,
 * behind it, when the event is in all others; NULL: there is none. Takes both. Gives the sequence that History
 * gave the notice's last event, 0: none. */
uint64_t bus_notify(Bus *bus, Notice *notice, Op *answer);

/* The same, or only the counting when is_dry, and then tells how many were reached. Takes the notice. */
void bus_notify_counted(Bus *bus, unsigned origin, Notice *notice, bool is_dry, OpOnTally on_tally,
                        void *waiter);

/* Closes all sessions of some users, on all workers, with a WebSocket close code and a reason; is_dry: only
 * counts them. */
typedef struct Disconnect {
    const Names *users;
    Str reason;
    uint16_t code;
    bool is_dry;
} Disconnect;

void bus_disconnect(Bus *bus, unsigned origin, const Disconnect *order, BusOnCount on_count,
                    void *waiter);

/* `secret` becomes the key of tokens on all workers; the one before stays good until `until_ms`, wall
 * clock. Changes made at once reach all workers in one order. The count is that of sessions closed. */
void bus_change_secret(Bus *bus, unsigned origin, Str secret, int64_t until_ms, BusOnCount on_count,
                       void *waiter);

/* Asks all workers what they recorded (inquiry.h): of the event that `event` names, or if `user` is not
 * STR_NONE, of his sessions and the event with this number, which is confirmed by `ack`. One text of each worker. */
typedef struct Inquiry {
    Str event;
    Str user;
    Str ack;
    uint32_t number;
} Inquiry;

void bus_inquire(Bus *bus, unsigned origin, const Inquiry *inquiry, BusOnTexts on_texts, void *waiter);

/* A record of revocations.h, kept by the store, reaches all workers. The count is that of sessions closed. */
typedef struct Revocation {
    Str space;
    Str key;
    Str value;
} Revocation;

void bus_revoke(Bus *bus, unsigned origin, const Revocation *revocation, BusOnCount on_count,
                void *waiter);

/* The plugin, as this generation of Lua states has it, is parked on all other workers too. */
typedef struct Parking {
    Str plugin;
    Str reason;
    uint64_t generation;
} Parking;

void bus_park(Bus *bus, unsigned origin, const Parking *parking);

/* The calling thread works in turns: what it asks the roster lies by until bus_end_turn, so that many
 * questions wake the roster once. */
void bus_start_turns(void);
void bus_end_turn(Bus *bus);
void bus_stop_turns(Bus *bus); /* hands over what lies by; from now on nothing does */

/* Hands the op to the roster, to the thread of reloads, or to the worker `to`; the answer, if wanted, comes
 * back by on_answer at op->origin. Takes the op. */
void bus_ask_roster(Bus *bus, Op *op);
void bus_ask_reload(Bus *bus, Op *op);
void bus_post(Bus *bus, unsigned to, Op *op);

/* When more than `bytes_max` waits for all sessions, lets all workers end the slowest. To be called now and then. */
void bus_relieve(Bus *bus, uint64_t bytes_max);

/* Lets all workers and the roster give back what is free in their pools, and at the end of their heaps. */
void bus_trim(Bus *bus);

/* Sends a carried-out op back to its origin, or frees it when no answer is wanted (on_answer is NULL, which the
 * thread of reloads does without). Takes the op. */
void bus_answer(Bus *bus, Op *op);

#endif
