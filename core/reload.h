/* SPDX-License-Identifier: Apache-2.0
 *
 * reload: new Lua states for all workers, or for none. A thread of its own with an inbox: it makes the states,
 * which holds up nobody, and when the plugins have loaded in all of them it hands one to each worker. One reload
 * at a time; who asks while one runs gets the next one. Whoever is answered finds all workers on the new states.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "worker.h"

typedef struct Reload Reload;

/* Borrows the bus and the workers, and becomes bus->reload. */
WARN_UNUSED int reload_start(Bus *bus, Worker *const *workers, Reload **reload);

/* Ends the thread, while the workers still run: it may be waiting for them. */
void reload_stop(Reload *reload);
void reload_free(Reload *reload); /* takes it; after the workers, who post to it */

/* The same without a thread, for workers that are turned by hand: reload_turn does what was asked for, and turns
 * the workers by `turn_workers` while it waits for them. False: nothing was asked for. No stop is owed. */
typedef void (*ReloadTurnWorkers)(void *context);
Reload *reload_open(Bus *bus, Worker *const *workers, ReloadTurnWorkers turn_workers, void *context);
bool reload_turn(Reload *reload);

/* Asks for one, without waiting for it: it is logged. Any thread. */
void reload_ask(Bus *bus);

#endif
