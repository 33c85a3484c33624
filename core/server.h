/* SPDX-License-Identifier: Apache-2.0
 *
 * server: the process: binds the port, starts the roster and the workers, waits for a signal, and ends
 * everything in reverse order. SIGTERM and SIGINT stop, a second one at once; SIGHUP reloads the plugins; SIGUSR1
 * logs the state.
 * Main thread.
 */
#ifndef SERVER_H
#define SERVER_H

#include "config.h"

/* Runs until it is told to stop. 0, or an ERR_ code after one log line. */
WARN_UNUSED int server_run(const Config *config);

#endif
