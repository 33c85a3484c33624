/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/records.h"

#include "base/clock.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "data/revocations.h"

/* Whether the record is what the op expects it to be. */
static int check_expected(Store *store, const Op *op, bool *is_met) {
    Buf value = BUF_NONE;
    int err = store_get(store, op_name(op), op_after(op), clock_wall_ms(), &value);
    bool is_there = err == 0;
    if (err == ERR_NOT_FOUND) err = 0;
    if (op->expect == NULL) {
        *is_met = !is_there;
    } else {
        *is_met = is_there && str_equal(buf_str(&value), bytes_str(op->expect));
    }
    buf_deinit(&value);
    return err;
}

static int put(Store *store, Op *op) {
    bool is_met = true;
    int err = op->must_match ? check_expected(store, op, &is_met) : 0;
    if (err != 0 || !is_met) return err;
    StoreRecord record = {op_name(op), op_after(op), bytes_str(op->value), op->expires_ms};
    op->is_done = true;
    return store_put(store, &record);
}

static int erase(Store *store, Op *op) {
    Buf value = BUF_NONE;
    int err = store_get(store, op_name(op), op_after(op), clock_wall_ms(), &value);
    buf_deinit(&value);
    if (err == ERR_NOT_FOUND) return 0;
    if (err != 0) return err;
    op->is_done = true;
    return store_erase(store, op_name(op), op_after(op));
}

int records_apply(Store *store, Op *op) {
    ensure(op->type == OP_PUT || op->type == OP_ERASE);
    return op->type == OP_PUT ? put(store, op) : erase(store, op);
}

static void get(Store *store, Op *op) {
    Buf value = BUF_NONE;
    op->error = store_get(store, op_name(op), op_after(op), clock_wall_ms(), &value);
    if (op->error == 0) op->value = bytes_copy(buf_str(&value));
    buf_deinit(&value);
}

/* Keys and values of a page, one behind the other in one block: their places are noted as offsets, for
 * the block moves while it grows. */
typedef struct Harvest {
    Buf text;
    Buf lens; /* uint32_t: key, value, key, value ... */
    uint32_t count;
    uint32_t size;
    bool has_more;
} Harvest;

static void harvest_text(Harvest *harvest, Str text) {
    uint32_t len = (uint32_t)text.len;
    buf_add(&harvest->text, text);
    buf_add(&harvest->lens, str_make((const char *)&len, sizeof len));
}

static bool on_record(void *context, const StoreRecord *record) {
    Harvest *harvest = context;
    if (harvest->count == harvest->size) {
        harvest->has_more = true;
        return false;
    }
    harvest->count++;
    harvest_text(harvest, record->key);
    harvest_text(harvest, record->value);
    return true;
}

/* Every second text from `first` on: the keys or the values. */
static Names *take_column(const Harvest *harvest, uint32_t first) {
    Str *items = mem_alloc(harvest->count * sizeof *items);
    const char *at = harvest->text.data;
    for (uint32_t i = 0; i < harvest->count * 2; i++) {
        uint32_t len;
        memcpy(&len, harvest->lens.data + i * sizeof len, sizeof len);
        if (i % 2 == first) items[i / 2] = str_make(at, len);
        at += len;
    }
    Names *names = names_new(items, harvest->count);
    mem_free(items);
    return names;
}

static void each(Store *store, Op *op) {
    Harvest harvest = {.size = op->size};
    StoreRange range = {op_name(op), op_prefix(op), op_after(op)};
    op->error = store_each(store, &range, clock_wall_ms(), on_record, &harvest);
    if (op->error == 0) {
        op->users = take_column(&harvest, 0);
        op->channels = take_column(&harvest, 1);
        op->has_more = harvest.has_more;
    }
    buf_deinit(&harvest.text);
    buf_deinit(&harvest.lens);
}

/* All records of a space go to all workers, which take what is new to them. */
static void tell_all(Store *store, Bus *bus, Str space) {
    Op *found = op_new(OP_EACH);
    op_set_name(found, space);
    found->size = UINT32_MAX;
    each(store, found);
    for (unsigned i = 0; found->error == 0 && i < bus->worker_count; i++) {
        Op *op = op_new(OP_REVOKE);
        op_set_name(op, space);
        op->users = names_new(found->users->items, found->users->count);
        op->channels = names_new(found->channels->items, found->channels->count);
        bus_post(bus, i, op);
    }
    op_free(found);
}

void records_tell_changes(Store *store, Bus *bus) {
    if (!store_was_changed(store)) return;
    tell_all(store, bus, REVOCATIONS_TOKENS);
    tell_all(store, bus, REVOCATIONS_USERS);
}

void records_read(Store *store, Op *op) {
    ensure(op->type == OP_GET || op->type == OP_EACH);
    if (op->type == OP_GET) {
        get(store, op);
    } else {
        each(store, op);
    }
}
