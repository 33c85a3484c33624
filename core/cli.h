/* SPDX-License-Identifier: Apache-2.0
 *
 * cli: from the program's arguments to a command. What the arguments mean is Lua's (lua/cli/); here the
 * commands that are C's are run: serve, health, version. Errors are one line on stderr; the exit code is
 * 0 good, 1 failed, 2 wrong usage. Main thread.
 */
#ifndef CLI_H
#define CLI_H

int cli_main(int argc, char **argv);

#endif
