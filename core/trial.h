/* SPDX-License-Identifier: Apache-2.0
 *
 * trial: a server in one thread, for the tests of plugins: workers and the roster, turned by hand, with a
 * store in memory, the clock held, and the ends of socketpairs in the place of a port. So what a test does
 * is over when trial_settle returns, and time goes on only when it says so. One at a time in a process, of
 * one thread. `chatty test` is its only user.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "config.h"

typedef struct Trial Trial;

/* Starts it, with the clock held at the time `wall_ms`. Takes what the config holds, and leaves *config empty,
 * also on failure. ERR_INVALID: a plugin does not load; trial_logs tells, of the trial that is given anyway. */
WARN_UNUSED int trial_new(Config *config, int64_t wall_ms, Trial **trial);

/* Stops as a server does that was told to: with the hooks `stop`. What takes time takes it by trial_step. May be
 * repeated. */
void trial_stop(Trial *trial);

/* Cuts all connections first, and runs what comes of it; no hook `stop`. */
void trial_free(Trial *trial);

/* Turns it until there is nothing to do. ERR_LIMIT: there always is something. */
WARN_UNUSED int trial_settle(Trial *trial);

/* A connection as from a client, to the workers in turn; gives the client's end, which does not block, or a
 * negative ERR_ code. */
WARN_UNUSED int trial_connect(Trial *trial);

/* Moves the clock to the next deadline, or to `until_ms` (wall clock) if that comes first. False: it is there
 * already. The caller settles it after each step. */
bool trial_step(Trial *trial, int64_t until_ms);

/* What was logged since the last call: a JSON array of {level, message, fields}; appends. */
void trial_logs(Trial *trial, Buf *out);

/* The Lua state of the first worker that gets what begins now. Borrows. */
Script *trial_script(const Trial *trial);

#endif
