/* SPDX-License-Identifier: Apache-2.0
 *
 * trims: what the Journal need not keep any more, as History lets go of it: it is written to the store now and
 * then, many at once. In memory the caller owns.
 */
#ifndef HUB_TRIMS_H
#define HUB_TRIMS_H

#include <stdint.h>

#include "base/buf.h"

typedef struct Trims {
    Buf rows; /* of pack.h: a kind, and what belongs to it */
    uint32_t count;
} Trims;

typedef enum { TRIM_EVENT, TRIM_LOST, TRIM_CHANNEL } TrimKind;

typedef struct Trim {
    TrimKind kind;
    uint64_t number; /* EVENT: the position that no channel keeps; LOST: all up to it may be lost */
    Str channel;     /* LOST; CHANNEL: it is forgotten */
} Trim;

void trims_deinit(Trims *trims);
void trims_add(Trims *trims, const Trim *trim);
void trims_move(Trims *from, Trims *to); /* to the end of `to` */

/* The first of the rows, which then begin behind it; false: there is none. Borrows. */
bool trims_next(Str *rows, Trim *trim);

#endif
