/* SPDX-License-Identifier: Apache-2.0
 *
 * The embedded store: one SQLite file in WAL mode. The roster is the only writer; what it does between
 * begin and commit is one transaction with one fsync (synchronous=FULL), so an answer that follows the
 * commit survives the loss of power too. Other processes may read the file, but a second server may
 * not: it would not see this one's changes, so the file beside it, PATH-lock, is locked while we run.
 *
 * The schema has a version (PRAGMA user_version) and is brought up to date at the start, one migration
 * after the other, each in a transaction.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/store.h"

/* Where the changes of version i + 1 stand; never edit one that was released, add the next. */
static const char *const migrations[] = {
    "CREATE TABLE subscriptions (user BLOB NOT NULL, channel BLOB NOT NULL, since INTEGER NOT NULL,"
    " PRIMARY KEY (user, channel)) WITHOUT ROWID",
    "CREATE TABLE records (space BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " expires INTEGER NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID;"
    "CREATE INDEX records_by_end ON records (expires) WHERE expires > 0",
    "ALTER TABLE subscriptions ADD COLUMN by BLOB NOT NULL DEFAULT x''",
    /* A history as it was kept by a clean stop: it is begun anew. */
    "ALTER TABLE subscriptions ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;"
    "DELETE FROM records WHERE space = CAST('history' AS BLOB)",
};

enum {
    MIGRATION_COUNT = sizeof migrations / sizeof migrations[0],
    BUSY_TIMEOUT_MS = 5000,
    SWEEP_INTERVAL_MS = 600000
};

typedef enum {
    STATEMENT_BEGIN,
    STATEMENT_ADD,
    STATEMENT_REMOVE,
    STATEMENT_FORGET_MARKS,
    STATEMENT_ORIGIN,
    STATEMENT_PUT,
    STATEMENT_ERASE,
    STATEMENT_GET,
    STATEMENT_EACH,
    STATEMENT_SWEEP,
    STATEMENT_COMMIT,
    STATEMENT_VERSION,
    STATEMENT_COUNT
} Statement;

static const char *const statement_texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_ADD] = "INSERT OR IGNORE INTO subscriptions (user, channel, since, by, mark) VALUES "
                      "(?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_REMOVE] = "DELETE FROM subscriptions WHERE user = ?1 AND channel = ?2",
    [STATEMENT_FORGET_MARKS] = "UPDATE subscriptions SET mark = 0 WHERE mark > 0",
    [STATEMENT_ORIGIN] = "SELECT since, by FROM subscriptions WHERE user = ?1 AND channel = ?2",
    [STATEMENT_PUT] =
        "INSERT OR REPLACE INTO records (space, key, value, expires) VALUES (?1, ?2, ?3, ?4)",
    [STATEMENT_ERASE] = "DELETE FROM records WHERE space = ?1 AND key = ?2",
    [STATEMENT_GET] =
        "SELECT value FROM records WHERE space = ?1 AND key = ?2 AND (expires = 0 OR expires > ?3)",
    [STATEMENT_EACH] =
        "SELECT key, value, expires FROM records WHERE space = ?1 AND key > ?2 AND key >= ?4"
        " AND (expires = 0 OR expires > ?3) ORDER BY key",
    [STATEMENT_SWEEP] = "DELETE FROM records WHERE expires > 0 AND expires <= ?1",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_VERSION] = "PRAGMA data_version",
};

typedef struct SqliteStore {
    Store store; /* first: a Store is where the SqliteStore begins */
    sqlite3 *db;
    int lock_fd;          /* -1: not locked */
    int64_t data_version; /* when was_changed was asked last */
    int64_t sweep_ms;     /* when ended records are to be dropped next; wall clock */
    sqlite3_stmt *statements[STATEMENT_COUNT];
} SqliteStore;

static SqliteStore *of_store(Store *store) {
    return (SqliteStore *)(void *)store;
}

static int fail(const SqliteStore *self, const char *doing) {
    log_line(LOG_ERROR, "the store cannot %s: %s", doing, sqlite3_errmsg(self->db));
    return ERR_IO;
}

static int bind_text(sqlite3_stmt *statement, int index, Str text) {
    return sqlite3_bind_blob64(statement, index, text.data ? text.data : "", text.len, SQLITE_STATIC);
}

static int step(SqliteStore *self, Statement which, const char *doing) {
    sqlite3_stmt *statement = self->statements[which];
    int status = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status == SQLITE_DONE ? 0 : fail(self, doing);
}

/* Drops records that have ended; until then they only do not count. */
static int sweep(SqliteStore *self, int64_t now_ms) {
    self->sweep_ms = now_ms + SWEEP_INTERVAL_MS;
    sqlite3_bind_int64(self->statements[STATEMENT_SWEEP], 1, now_ms);
    return step(self, STATEMENT_SWEEP, "drop ended records");
}

static int begin(Store *store) {
    SqliteStore *self = of_store(store);
    int64_t now_ms = clock_wall_ms();
    int err = step(self, STATEMENT_BEGIN, "begin a transaction");
    return err == 0 && now_ms >= self->sweep_ms ? sweep(self, now_ms) : err;
}

static int add(Store *store, Str user, Str channel, Str by, uint64_t mark) {
    SqliteStore *self = of_store(store);
    sqlite3_stmt *statement = self->statements[STATEMENT_ADD];
    bind_text(statement, 1, user);
    bind_text(statement, 2, channel);
    sqlite3_bind_int64(statement, 3, clock_wall_ms());
    bind_text(statement, 4, by);
    sqlite3_bind_int64(statement, 5, (int64_t)mark);
    return step(self, STATEMENT_ADD, "add a subscription");
}

static int remove_one(Store *store, Str user, Str channel) {
    SqliteStore *self = of_store(store);
    sqlite3_stmt *statement = self->statements[STATEMENT_REMOVE];
    bind_text(statement, 1, user);
    bind_text(statement, 2, channel);
    return step(self, STATEMENT_REMOVE, "remove a subscription");
}

static int forget_marks(Store *store) {
    return step(of_store(store), STATEMENT_FORGET_MARKS, "forget marks");
}

static int put(Store *store, const StoreRecord *record) {
    SqliteStore *self = of_store(store);
    sqlite3_stmt *statement = self->statements[STATEMENT_PUT];
    bind_text(statement, 1, record->space);
    bind_text(statement, 2, record->key);
    bind_text(statement, 3, record->value);
    sqlite3_bind_int64(statement, 4, record->expires_ms);
    return step(self, STATEMENT_PUT, "keep a record");
}

static int erase(Store *store, Str space, Str key) {
    SqliteStore *self = of_store(store);
    sqlite3_stmt *statement = self->statements[STATEMENT_ERASE];
    bind_text(statement, 1, space);
    bind_text(statement, 2, key);
    return step(self, STATEMENT_ERASE, "erase a record");
}

static Str column(sqlite3_stmt *statement, int index) {
    const char *data = sqlite3_column_blob(statement, index);
    return str_make(data, (size_t)sqlite3_column_bytes(statement, index));
}

static int find_origin(Store *store, Str user, Str channel, StoreOrigin *origin) {
    SqliteStore *self = of_store(store);
    sqlite3_stmt *statement = self->statements[STATEMENT_ORIGIN];
    bind_text(statement, 1, user);
    bind_text(statement, 2, channel);
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW) {
        origin->since_ms = sqlite3_column_int64(statement, 0);
        buf_add(&origin->by, column(statement, 1));
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (status == SQLITE_ROW) return 0;
    return status == SQLITE_DONE ? ERR_NOT_FOUND : fail(self, "be read");
}

static int get(Store *store, Str space, Str key, int64_t now_ms, Buf *value) {
    SqliteStore *self = of_store(store);
    sqlite3_stmt *statement = self->statements[STATEMENT_GET];
    bind_text(statement, 1, space);
    bind_text(statement, 2, key);
    sqlite3_bind_int64(statement, 3, now_ms);
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW) buf_add(value, column(statement, 0));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (status == SQLITE_ROW) return 0;
    return status == SQLITE_DONE ? ERR_NOT_FOUND : fail(self, "be read");
}

static int each(Store *store, const StoreRange *range, int64_t now_ms, StoreOnRecord on_record,
                void *context) {
    SqliteStore *self = of_store(store);
    sqlite3_stmt *statement = self->statements[STATEMENT_EACH];
    bind_text(statement, 1, range->space);
    bind_text(statement, 2, range->after);
    sqlite3_bind_int64(statement, 3, now_ms);
    bind_text(statement, 4, range->prefix);
    int status = sqlite3_step(statement);
    for (; status == SQLITE_ROW; status = sqlite3_step(statement)) {
        StoreRecord record = {range->space, column(statement, 0), column(statement, 1),
                              sqlite3_column_int64(statement, 2)};
        if (!str_has_prefix(record.key, range->prefix) || !on_record(context, &record)) break;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status == SQLITE_DONE || status == SQLITE_ROW ? 0 : fail(self, "be read");
}

static int commit(Store *store) {
    return step(of_store(store), STATEMENT_COMMIT, "commit");
}

/* Some failures (a full disk) have rolled back already; then there is nothing to do. */
static void rollback(Store *store) {
    SqliteStore *self = of_store(store);
    if (!sqlite3_get_autocommit(self->db)) sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
}

static int load(Store *store, StoreOnSubscription on_subscription, void *context) {
    SqliteStore *self = of_store(store);
    sqlite3_stmt *all;
    if (sqlite3_prepare_v2(self->db, "SELECT user, channel, mark FROM subscriptions", -1, &all, NULL) !=
        SQLITE_OK) {
        return fail(self, "be read");
    }
    int status = sqlite3_step(all);
    for (; status == SQLITE_ROW; status = sqlite3_step(all)) {
        on_subscription(context, column(all, 0), column(all, 1),
                        (uint64_t)sqlite3_column_int64(all, 2));
    }
    sqlite3_finalize(all);
    return status == SQLITE_DONE ? 0 : fail(self, "be read");
}

/* The number that PRAGMA data_version gives changes with the commits of other connections only. */
static bool was_changed(Store *store) {
    SqliteStore *self = of_store(store);
    sqlite3_stmt *statement = self->statements[STATEMENT_VERSION];
    int64_t before = self->data_version;
    if (sqlite3_step(statement) == SQLITE_ROW) self->data_version = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return self->data_version != before;
}

static void trim(Store *store) {
    sqlite3_db_release_memory(of_store(store)->db);
}

static void close_store(Store *store) {
    SqliteStore *self = of_store(store);
    for (int i = 0; i < STATEMENT_COUNT; i++) sqlite3_finalize(self->statements[i]);
    sqlite3_close(self->db);
    if (self->lock_fd >= 0) close(self->lock_fd);
    mem_free(self);
}

static const StoreClass sqlite_class = {
    .load = load,
    .begin = begin,
    .add = add,
    .remove = remove_one,
    .forget_marks = forget_marks,
    .find_origin = find_origin,
    .put = put,
    .erase = erase,
    .get = get,
    .each = each,
    .commit = commit,
    .rollback = rollback,
    .was_changed = was_changed,
    .trim = trim,
    .close = close_store,
};

static int lock(SqliteStore *self, const char *path) {
    char name[4096];
    int len = snprintf(name, sizeof name, "%s-lock", path);
    if (len < 0 || (size_t)len >= sizeof name) return ERR_INVALID;
    self->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock_fd < 0) {
        log_line(LOG_ERROR, "the store cannot make %s: %s; it needs a folder that it may write to",
                 name, strerror(errno));
        return ERR_DENIED;
    }
    if (flock(self->lock_fd, LOCK_EX | LOCK_NB) == 0) return 0;
    log_line(LOG_ERROR,
             "the store %s is in use by another server: stop it, or set STORE to another file", path);
    return ERR_EXISTS;
}

static int exec(SqliteStore *self, const char *text, const char *doing) {
    return sqlite3_exec(self->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(self, doing);
}

static int read_version(SqliteStore *self, int *version) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(self->db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK) {
        return fail(self, "be read");
    }
    int status = sqlite3_step(statement);
    *version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return status == SQLITE_ROW ? 0 : fail(self, "be read");
}

static int migrate_to(SqliteStore *self, int version) {
    char mark[64];
    snprintf(mark, sizeof mark, "PRAGMA user_version = %d", version);
    int err = exec(self, "BEGIN IMMEDIATE", "be brought up to date");
    if (err == 0) err = exec(self, migrations[version - 1], "be brought up to date");
    if (err == 0) err = exec(self, mark, "be brought up to date");
    if (err == 0) err = exec(self, "COMMIT", "be brought up to date");
    if (err != 0) rollback(&self->store);
    return err;
}

static int migrate(SqliteStore *self) {
    int version;
    int err = read_version(self, &version);
    if (err == 0 && version > MIGRATION_COUNT) {
        log_line(LOG_ERROR,
                 "the store was made by a newer version of chatty (its schema is %d, ours %d)", version,
                 MIGRATION_COUNT);
        return ERR_INVALID;
    }
    while (err == 0 && version < MIGRATION_COUNT) err = migrate_to(self, ++version);
    return err;
}

static int prepare(SqliteStore *self) {
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(self->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->statements[i], NULL) != SQLITE_OK) {
            return fail(self, "prepare");
        }
    }
    return 0;
}

/* The file holds secrets: only its owner may read it. SQLite gives its side files the same mode. */
static void make_private(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
}

static int open_file(SqliteStore *self, const char *path) {
    make_private(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &self->db, flags, NULL) != SQLITE_OK) return fail(self, "be opened");
    sqlite3_busy_timeout(self->db, BUSY_TIMEOUT_MS);
    int err = exec(self, "PRAGMA journal_mode = WAL", "be opened");
    if (err == 0) err = exec(self, "PRAGMA synchronous = FULL", "be opened");
    return err;
}

int store_sqlite_open(const char *path, bool is_server, Store **store) {
    SqliteStore *self = mem_zalloc(sizeof *self);
    self->store.class = &sqlite_class;
    self->lock_fd = -1;
    int err = is_server ? lock(self, path) : 0;
    if (err == 0) err = open_file(self, path);
    if (err == 0) err = migrate(self);
    if (err == 0) err = prepare(self);
    if (err != 0) {
        close_store(&self->store);
        return err;
    }
    *store = &self->store;
    return 0;
}
