/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor: the text by which a client names the last event that it had: an epoch of the history and a
 * sequence in it, in digits whose order is that of their characters. Any thread.
 */
#ifndef HUB_CURSOR_H
#define HUB_CURSOR_H

#include <stdint.h>

#include "hub/message.h"

enum { CURSOR_EPOCH_BITS = 45 };

void cursor_encode(uint64_t epoch, uint64_t sequence, char id[MESSAGE_ID_LEN]);
bool cursor_parse(Str id, uint64_t *epoch, uint64_t *sequence); /* false: it is none */

#endif
