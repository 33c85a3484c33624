/* SPDX-License-Identifier: Apache-2.0
 *
 * journal: the events of durable channels in the store, so that History goes on where it was, whatever ended
 * the process. An event is written in the transaction of a round, which gives it its position, and emitted when
 * that is committed. What History lets go of is taken out later, many at once, in transactions that are made
 * anyhow. Beside the events it keeps what their channels lost, through which lives the history goes on, and by
 * which rules. Owned by the roster; its thread only, but for journal_load.
 */
#ifndef HUB_JOURNAL_H
#define HUB_JOURNAL_H

#include "data/store.h"
#include "hub/history.h"
#include "hub/op.h"

typedef struct Journal {
    Store *store;         /* borrowed */
    History *history;     /* borrowed; NULL: nothing is kept */
    RetentionRules rules; /* as the store has them, with their sequences */
    RetentionRules next;  /* what the open transaction makes of them, if has_next */
    uint64_t position;    /* of the last event that was written */
    uint64_t committed;   /* of the last one that will be there after a crash */
    Trims trims;          /* that History has forgotten; in the open transaction, if has_trimmed */
    bool is_open;         /* there are durable channels */
    bool is_opening;
    bool has_next;
    bool has_trimmed;
} Journal;

/* Fills a History that is new; without a journal it stays so. `encoders` outlives it. ERR_INVALID: the journal
 * is not whole, and the History of no use. Main thread, before the roster has the store. */
WARN_UNUSED int journal_load(Store *store, const MessageEncoder *encoders, History *history);

void journal_init(Journal *journal, Store *store, History *history);
void journal_deinit(Journal *journal);

/* A life begins, with these rules. If none of them is durable, or History has nothing of the journal, all that
 * was is erased. In a transaction of its own, as is journal_stop: an end that is no crash. */
WARN_UNUSED int journal_start(Journal *journal, const RetentionRules *rules);
WARN_UNUSED int journal_stop(Journal *journal);

/* In the open transaction: a LOG op gets its position and is written; a RULES op says by which rules events
 * come from now on. */
WARN_UNUSED int journal_add(Journal *journal, Op *op);
WARN_UNUSED int journal_change_rules(Journal *journal, const Op *op);

/* Up to which sequence the channel is not of whom is subscribed to it now; 0: it is not durable. */
uint64_t journal_mark(const Journal *journal, Str channel);

/* The last thing in a transaction; and behind it: `err` is what became of it. */
WARN_UNUSED int journal_finish(Journal *journal);
void journal_settle(Journal *journal, int err);

#endif
