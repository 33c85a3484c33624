/* SPDX-License-Identifier: Apache-2.0
 *
 * store: what outlives a session, and with a durable store the process: standing subscriptions, and
 * records (a value by space and key, perhaps with an end) for everything else. The roster is its only
 * user and thread; a command line tool may open the same file for records. Changes are made between
 * store_begin and store_commit: many at once share one commit, and what was not committed never
 * happened. One interface, one file per kind.
 */
#ifndef DATA_STORE_H
#define DATA_STORE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

typedef struct Store Store;

/* Called once per subscription by store_load; `mark` as store_add got it. */
typedef void (*StoreOnSubscription)(void *context, Str user, Str channel, uint64_t mark);

/* A record; expires_ms is wall-clock time, 0: never. */
typedef struct StoreRecord {
    Str space;
    Str key;
    Str value;
    int64_t expires_ms;
} StoreRecord;

/* Since when a subscription stands (wall clock), and who asked for it: a text of the caller's. Owns `by`. */
typedef struct StoreOrigin {
    int64_t since_ms;
    Buf by;
} StoreOrigin;

/* Called once per record by store_each; false ends the walk. Borrows. */
typedef bool (*StoreOnRecord)(void *context, const StoreRecord *record);

/* What store_each walks: the records of a space in byte order of their keys. */
typedef struct StoreRange {
    Str space;
    Str prefix; /* keys that begin so */
    Str after;  /* keys behind this one; STR_NONE: from the start */
} StoreRange;

typedef struct StoreClass {
    int (*load)(Store *store, StoreOnSubscription on_subscription, void *context);
    int (*begin)(Store *store);
    int (*add)(Store *store, Str user, Str channel, Str by, uint64_t mark);
    int (*remove)(Store *store, Str user, Str channel);
    int (*forget_marks)(Store *store);
    int (*find_origin)(Store *store, Str user, Str channel, StoreOrigin *origin);
    int (*put)(Store *store, const StoreRecord *record);
    int (*erase)(Store *store, Str space, Str key);
    int (*get)(Store *store, Str space, Str key, int64_t now_ms, Buf *value);
    int (*each)(Store *store, const StoreRange *range, int64_t now_ms, StoreOnRecord on_record,
                void *context);
    int (*commit)(Store *store);
    void (*rollback)(Store *store);
    bool (*was_changed)(Store *store); /* NULL: nobody else can */
    void (*trim)(Store *store);        /* NULL: it keeps nothing that it could do without */
    void (*close)(Store *store);       /* takes */
} StoreClass;

/* Every kind of store begins with this. */
struct Store {
    const StoreClass *class;
};

/* Opens the store that `url` names: "memory" or "sqlite:PATH". ERR_INVALID: no such kind. What else
 * fails is logged in one line. Gives. */
WARN_UNUSED int store_open(Str url, bool is_server, Store **store);

/* Calls the class; all but close answer 0 or ERR_IO, ERR_UNAVAILABLE. */
WARN_UNUSED int store_load(Store *store, StoreOnSubscription on_subscription, void *context);
WARN_UNUSED int store_begin(Store *store);
/* `mark` is a number of the caller's. One that stands already keeps its origin and its mark. */
WARN_UNUSED int store_add(Store *store, Str user, Str channel, Str by, uint64_t mark);
WARN_UNUSED int store_remove(Store *store, Str user, Str channel);
WARN_UNUSED int store_forget_marks(Store *store); /* all are 0 from now on */

/* Fills the origin; ERR_NOT_FOUND: there is no such subscription. */
WARN_UNUSED int store_find_origin(Store *store, Str user, Str channel, StoreOrigin *origin);
WARN_UNUSED int store_put(Store *store, const StoreRecord *record); /* makes or replaces */
WARN_UNUSED int store_erase(Store *store, Str space, Str key);      /* one that is not there is fine */

/* Appends the value; ERR_NOT_FOUND: there is none, or it has expired at now_ms. Sees what the open
 * transaction wrote. */
WARN_UNUSED int store_get(Store *store, Str space, Str key, int64_t now_ms, Buf *value);
WARN_UNUSED int store_each(Store *store, const StoreRange *range, int64_t now_ms,
                           StoreOnRecord on_record, void *context);
WARN_UNUSED int store_commit(Store *store);
void store_rollback(Store *store);

/* Whether another process has changed it since this was asked last (the first time: yes). */
bool store_can_be_changed(const Store *store);
bool store_was_changed(Store *store);

/* Gives back memory that only makes it quicker. */
void store_trim(Store *store);
void store_close(Store *store);

/* The kinds. */
/* One SQLite file. A server locks it for itself (is_server), a tool opens it beside a running server.
 * ERR_EXISTS: another server uses it; ERR_DENIED, ERR_IO: it cannot be used. Gives. */
WARN_UNUSED int store_sqlite_open(const char *path, bool is_server, Store **store);

/* Keeps nothing beyond the process: the roster's own memory is the truth. */
Store *store_memory_new(void);

#endif
