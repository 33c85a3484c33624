/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/op.h"

#include <unistd.h>

#include "base/ensure.h"
#include "base/mem.h"

enum { ISLAND_worker, ISLAND_roster, ISLAND_reload, ISLAND_both };

static const unsigned char island_of[] = {
#define OP_ISLAND(name, island) ISLAND_##island,
    OP_MAP(OP_ISLAND)
#undef OP_ISLAND
};

Op *op_new(OpType type) {
    Op *op = mem_zalloc(sizeof *op);
    op->type = type;
    return op;
}

void op_free(Op *op) {
    notice_release(op->notice);
    tally_free(op->tally);
    names_free(op->users);
    names_free(op->users_of);
    names_free(op->channels);
    mem_free(op->name);
    mem_free(op->after);
    mem_free(op->prefix);
    bytes_release(op->value);
    bytes_release(op->expect);
    if (op->has_fd) close(op->fd);
    bytes_release(op->by);
    mem_free(op);
}

bool op_is_for_roster(OpType type) {
    return island_of[type] == ISLAND_roster || island_of[type] == ISLAND_both;
}

bool op_is_for_reload(OpType type) {
    return island_of[type] == ISLAND_reload || island_of[type] == ISLAND_both;
}

static uint32_t set_text(char **field, Str text) {
    ensure(text.len < UINT32_MAX);
    mem_free(*field);
    *field = mem_copy(text.data, text.len);
    return (uint32_t)text.len;
}

void op_set_name(Op *op, Str name) {
    op->name_len = set_text(&op->name, name);
}

void op_set_after(Op *op, Str after) {
    op->after_len = set_text(&op->after, after);
}

void op_set_prefix(Op *op, Str prefix) {
    op->prefix_len = set_text(&op->prefix, prefix);
}
