/* SPDX-License-Identifier: Apache-2.0
 *
 * kept: the events that channels keep, by channel and in the order of all; what the channels lost, and who
 * came late to them. Holds the limits of channels and of the node. Part of History, guarded by its lock.
 */
#ifndef HUB_KEPT_H
#define HUB_KEPT_H

#include "base/list.h"
#include "base/map.h"
#include "hub/newcomers.h"
#include "hub/notice.h"
#include "hub/trims.h"

enum { KEPT_NEWCOMERS_MAX = 4096 }; /* of a channel; with more it loses what it has */

typedef struct KeptChannel {
    List link;    /* in kept->channels */
    List dirty;   /* in kept->dirty: the journal does not know yet what it lost */
    List entries; /* oldest first */
    Newcomers newcomers;
    Map keys;       /* entries by the key of their event */
    uint32_t count; /* entries */
    uint64_t bytes;
    uint64_t lost_sequence; /* all that it ever had up to it may be gone */
    uint64_t idle_ms;       /* when its last entry went; monotonic */
    bool is_durable;        /* as its last event was kept */
    uint32_t name_len;
    char name[];
} KeptChannel;

/* One event in one channel. */
typedef struct KeptEntry {
    List in_channel;
    List in_kept;
    KeptChannel *channel;
    Notice *notice;
    uint64_t sequence;
    uint64_t ends_ms; /* by the channel's ttl */
    uint32_t target;
    uint32_t bytes;
} KeptEntry;

typedef struct Kept {
    uint64_t bytes;
    uint64_t bytes_max;
    /* All up to it may be lost with channels that are forgotten: [true] durable ones, [false] others. */
    uint64_t forgotten[2];
    bool is_mixed; /* what is durable now may have been forgotten when it was not */
    Map by_name;
    List channels;    /* the one to be swept next first */
    List entries;     /* oldest first */
    List dirty;       /* channels */
    KeptEntry *spare; /* the last one that was dropped, for the next one; NULL: none */
    Trims trims;
} Kept;

void kept_init(Kept *kept, uint64_t bytes_max);
void kept_deinit(Kept *kept);

static inline KeptChannel *kept_find(const Kept *kept, Str name) {
    return map_find(&kept->by_name, name);
}

static inline Str kept_name(const KeptChannel *channel) {
    return str_make(channel->name, channel->name_len);
}

/* One that is not there yet. Up to `lost` all may be lost. */
KeptChannel *kept_add_channel(Kept *kept, Str name, bool is_durable, uint64_t lost);
void kept_forget_channel(Kept *kept, KeptChannel *channel); /* it must be empty */

/* Channels may be durable from now on that were not, and the reverse. */
void kept_mix(Kept *kept);

/* The channel keeps what is the notice's target; the others of its key go, and what is beyond its limits. */
void kept_add(Kept *kept, KeptChannel *channel, Notice *notice, uint32_t target, uint64_t ends_ms,
              uint64_t now_ms);
void kept_drop_first(Kept *kept, KeptChannel *channel, uint64_t now_ms); /* as lost */

/* All that is kept up to `since` is not the user's. `newest` is the last sequence of all. */
void kept_add_newcomer(Kept *kept, KeptChannel *channel, Str user, uint64_t since, uint64_t newest,
                       uint64_t now_ms);

/* Until the limit of the node holds. */
void kept_make_room(Kept *kept, uint64_t now_ms);

/* Appends the trims that came together. */
void kept_take_trims(Kept *kept, Trims *trims);

#endif
