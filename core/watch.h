/* SPDX-License-Identifier: Apache-2.0
 *
 * watch: looks at some files and the Lua files of some folders, four times a second, and calls back when they have
 * changed and then stayed the same from one look to the next. For development: it reads the folders each time. One
 * thread.
 */
#ifndef WATCH_H
#define WATCH_H

#include "base/str.h"
#include "net/net.h"

typedef struct Watch Watch;
typedef void (*WatchOnChange)(void *context);

/* `paths` have a colon between them (borrowed as long as it watches); what is not there may come. */
Watch *watch_open(uv_loop_t *loop, Str paths, WatchOnChange on_change, void *context);
void watch_close(Watch *watch); /* freed by the loop; NULL does nothing */

#endif
