/* SPDX-License-Identifier: Apache-2.0
 *
 * watch: looks at the Lua files of some folders, four times a second, and calls back when they have changed and then
 * stayed the same from one look to the next. For development: it reads the folders each time. One thread.
 */
#ifndef WATCH_H
#define WATCH_H

#include "base/str.h"
#include "net/net.h"

typedef struct Watch Watch;
typedef void (*WatchOnChange)(void *context);

/* `folders` are paths with a colon between them (borrowed as long as it watches); one that is not there is empty. */
Watch *watch_open(uv_loop_t *loop, Str folders, WatchOnChange on_change, void *context);
void watch_close(Watch *watch); /* freed by the loop; NULL does nothing */

#endif
