/* SPDX-License-Identifier: Apache-2.0
 *
 * tally: how many users and sessions a notify reached, per target and in all. Each worker counts its
 * own; the tallies are then joined. A user may have sessions on two workers, so users are counted by
 * the hash of their name and told apart only when the tallies meet. One owner.
 */
#ifndef HUB_TALLY_H
#define HUB_TALLY_H

#include <stddef.h>
#include <stdint.h>

typedef struct TallyRow {
    uint64_t sessions;
    uint64_t *users; /* hashes; sorted and without doubles after tally_close */
    size_t user_count;
    size_t user_cap;
} TallyRow;

typedef struct Tally {
    uint64_t sequence;  /* of the event, when a channel keeps it */
    uint32_t row_count; /* one per target */
    TallyRow rows[];
} Tally;

Tally *tally_new(uint32_t row_count); /* gives */
void tally_free(Tally *tally);        /* takes; NULL is fine */

/* A user of this worker was reached on so many sessions. */
void tally_count(Tally *tally, uint32_t row, uint64_t user_hash, uint32_t sessions);

void tally_merge(Tally *into, const Tally *from); /* of the same rows */

/* After the last merge: each user once per row. Gives the users and sessions of all rows together
 * (users once, sessions as often as they were reached). */
void tally_close(Tally *tally, uint64_t *users, uint64_t *sessions);

#endif
