/* SPDX-License-Identifier: Apache-2.0 */
#include "net/backlog.h"

#include "base/buf.h"
#include "base/mem.h"

struct Backlog {
    Buf records;  /* a Record and its message, and again */
    size_t taken; /* bytes of `records` handed out already */
    uint32_t count;
};

typedef struct Record {
    size_t len;
    bool is_binary;
} Record;

void backlog_add(Backlog **backlog, bool is_binary, Str message) {
    if (*backlog == NULL) *backlog = mem_zalloc(sizeof **backlog);
    Backlog *self = *backlog;
    if (self->taken > self->records.len / 2) {
        buf_consume(&self->records, self->taken);
        self->taken = 0;
    }
    Record record = {message.len, is_binary};
    buf_add(&self->records, str_make((const char *)&record, sizeof record));
    buf_add(&self->records, message);
    self->count++;
}

bool backlog_take(Backlog *backlog, bool *is_binary, Str *message) {
    if (backlog == NULL || backlog->count == 0) return false;
    Record record;
    const char *at = backlog->records.data + backlog->taken;
    memcpy(&record, at, sizeof record);
    *is_binary = record.is_binary;
    *message = str_make(at + sizeof record, record.len);
    backlog->taken += sizeof record + record.len;
    backlog->count--;
    return true;
}

void backlog_trim(Backlog **backlog) {
    if (*backlog != NULL && (*backlog)->count == 0) backlog_free(backlog);
}

void backlog_free(Backlog **backlog) {
    if (*backlog == NULL) return;
    buf_deinit(&(*backlog)->records);
    mem_free(*backlog);
    *backlog = NULL;
}

bool backlog_is_full(const Backlog *backlog, uint64_t bytes_max) {
    if (backlog == NULL) return false;
    return backlog->count >= BACKLOG_MESSAGES_MAX || backlog->records.len - backlog->taken > bytes_max;
}
