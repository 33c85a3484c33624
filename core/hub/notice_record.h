/* SPDX-License-Identifier: Apache-2.0
 *
 * notice_record: a Notice as a row of bytes, as the Journal keeps it, and back. What ends after a time does so
 * by the wall clock. Any thread.
 */
#ifndef HUB_NOTICE_RECORD_H
#define HUB_NOTICE_RECORD_H

#include "hub/history.h"

void notice_record_pack(const Notice *notice, Buf *row);

/* Gives the notice of the journal's position as it was, with its ids; age_ms: how long ago that is. It stays with
 * the channels that are durable. ERR_INVALID: it is none. `encoders` outlives it. */
WARN_UNUSED int notice_record_unpack(Str row, uint64_t position, const MessageEncoder *encoders,
                                     const History *history, Notice **notice, uint64_t *age_ms);

#endif
