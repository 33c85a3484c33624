/* SPDX-License-Identifier: Apache-2.0
 *
 * backlog: messages of a client that came while they could not be handed out: one record after the other
 * in one block, so that a flood of tiny messages costs no more than it did on the wire. A pointer to one
 * is NULL while it is empty. In memory the owner owns; its thread only.
 */
#ifndef NET_BACKLOG_H
#define NET_BACKLOG_H

#include <stdint.h>

#include "base/str.h"

typedef struct Backlog Backlog;

enum { BACKLOG_MESSAGES_MAX = 64 };

void backlog_add(Backlog **backlog, bool is_binary, Str message); /* copies */

/* Takes the oldest out; false when there is none. `message` is good until the next call. */
bool backlog_take(Backlog *backlog, bool *is_binary, Str *message);

/* Frees it when nothing is in it. Borrowed messages end. */
void backlog_trim(Backlog **backlog);
void backlog_free(Backlog **backlog);

/* BACKLOG_MESSAGES_MAX messages or more than `bytes_max` bytes wait. */
bool backlog_is_full(const Backlog *backlog, uint64_t bytes_max);

#endif
