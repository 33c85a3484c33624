/* SPDX-License-Identifier: Apache-2.0
 *
 * lives: through which lives of a node its history goes on, and so the ids by which clients name a place in
 * it: the epoch of a life, and the sequence. Sequences grow from one life to the next. An id is good while its
 * life is remembered, if that life came as far. Owned by History, guarded by its lock.
 */
#ifndef HUB_LIVES_H
#define HUB_LIVES_H

#include "base/buf.h"
#include "base/err.h"
#include "hub/cursor.h"

typedef struct Life {
    uint64_t epoch; /* when it began, in milliseconds; no two have the same */
    uint64_t base;  /* its sequences are not below, those of the lives before it are */
} Life;

typedef struct Lives {
    Life *items; /* oldest first; the last one is that of now */
    uint32_t count;
} Lives;

void lives_init(Lives *lives, uint64_t epoch); /* one life, the first */
void lives_deinit(Lives *lives);

/* The next life begins; one that is too long ago is forgotten. */
void lives_add(Lives *lives, uint64_t epoch, uint64_t base);

void lives_encode_id(const Lives *lives, uint64_t sequence, char id[MESSAGE_ID_LEN]);
bool lives_parse_id(const Lives *lives, Str id, uint64_t *sequence); /* false: it means nothing here */

void lives_pack(const Lives *lives, Buf *row);
WARN_UNUSED int lives_unpack(Str row, Lives *lives); /* gives; ERR_INVALID */

#endif
