/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/ledger.h"

#include "base/mem.h"

enum { UNDOS_KEPT = 256 }; /* room for so many stays from one transaction to the next */

void ledger_init(Ledger *ledger, Graph *graph, const Journal *journal,
                 uint32_t subscriptions_per_user_max) {
    *ledger = (Ledger){.graph = graph,
                       .store = journal->store,
                       .journal = journal,
                       .subscriptions_per_user_max = subscriptions_per_user_max,
                       .subscriptions_max = UINT64_MAX};
}

void ledger_deinit(Ledger *ledger) {
    mem_free(ledger->undos);
    crowd_deinit(&ledger->touched);
}

void crowd_deinit(Crowd *crowd) {
    mem_free(crowd->users);
    *crowd = (Crowd){NULL, 0, 0};
}

static void crowd_add(Crowd *crowd, Node *node) {
    if (crowd->count == crowd->cap) {
        crowd->cap = crowd->cap ? crowd->cap * 2 : 16;
        crowd->users = mem_grow(crowd->users, crowd->cap, sizeof(Node *));
    }
    crowd->users[crowd->count++] = node;
}

static void meet(Ledger *ledger, Crowd *crowd, Node *user) {
    if (user->mark == ledger->serial) return;
    user->mark = ledger->serial;
    crowd_add(crowd, user);
    crowd_add(&ledger->touched, user);
}

/* Unknown users are made when they shall get something, else left out. */
static void find_crowd(Ledger *ledger, const Op *op, Crowd *crowd) {
    ledger->serial++;
    for (uint32_t i = 0; op->users != NULL && i < op->users->count; i++) {
        Str name = op->users->items[i];
        Node *user = op->type == OP_SUBSCRIBE ? graph_add_user(ledger->graph, name)
                                              : graph_find_user(ledger->graph, name);
        if (user != NULL) meet(ledger, crowd, user);
    }
    for (uint32_t i = 0; op->users_of != NULL && i < op->users_of->count; i++) {
        const Node *channel = graph_find_channel(ledger->graph, op->users_of->items[i]);
        if (channel == NULL) continue;
        for (uint32_t k = 0; k < channel->edge_count; k++) {
            meet(ledger, crowd, node_edges(channel)[k].peer);
        }
    }
}

static void note_undo(Ledger *ledger, Node *user, Node *channel, bool was_added) {
    if (ledger->undo_count == ledger->undo_cap) {
        ledger->undo_cap = ledger->undo_cap ? ledger->undo_cap * 2 : 64;
        ledger->undos = mem_grow(ledger->undos, ledger->undo_cap, sizeof *ledger->undos);
    }
    ledger->undos[ledger->undo_count++] = (Undo){user, channel, was_added};
}

/* Nodes are freed in ledger_end only, so the list may point to them. */
static void undo_to(Ledger *ledger, size_t mark) {
    while (ledger->undo_count > mark) {
        Undo *undo = &ledger->undos[--ledger->undo_count];
        if (undo->was_added) {
            graph_remove_edge(ledger->graph, undo->user, undo->channel);
        } else {
            graph_add_edge(ledger->graph, undo->user, undo->channel);
        }
    }
}

static int add_one(Ledger *ledger, Node *user, Node *channel) {
    if (!graph_add_edge(ledger->graph, user, channel)) return 0;
    if (user->edge_count > ledger->subscriptions_per_user_max ||
        ledger->graph->edge_count > ledger->subscriptions_max) {
        graph_remove_edge(ledger->graph, user, channel); /* the store has not heard of it */
        return ERR_LIMIT;
    }
    note_undo(ledger, user, channel, true);
    if (ledger->is_dry) return 0;
    uint64_t mark = journal_mark(ledger->journal, node_name(channel));
    return store_add(ledger->store, node_name(user), node_name(channel), ledger->by, mark);
}

static int remove_one(Ledger *ledger, Node *user, Node *channel) {
    if (!graph_remove_edge(ledger->graph, user, channel)) return 0;
    note_undo(ledger, user, channel, false);
    return ledger->is_dry ? 0 : store_remove(ledger->store, node_name(user), node_name(channel));
}

static int change_channel(Ledger *ledger, bool is_add, const Crowd *crowd, Node *channel) {
    crowd_add(&ledger->touched, channel);
    for (size_t i = 0; i < crowd->count; i++) {
        int err = is_add ? add_one(ledger, crowd->users[i], channel)
                         : remove_one(ledger, crowd->users[i], channel);
        if (err != 0) return err;
    }
    return 0;
}

static int change_all(Ledger *ledger, const Op *op, const Crowd *crowd) {
    bool is_add = op->type == OP_SUBSCRIBE;
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < op->channels->count; i++) {
        Str name = op->channels->items[i];
        Node *channel =
            is_add ? graph_add_channel(ledger->graph, name) : graph_find_channel(ledger->graph, name);
        if (channel != NULL) err = change_channel(ledger, is_add, crowd, channel);
    }
    return err;
}

/* Takes the changes since `mark` out of the open transaction: the store is told the reverse. */
static int take_back(Ledger *ledger, size_t mark) {
    int err = 0;
    for (size_t i = ledger->undo_count; !ledger->is_dry && err == 0 && i-- > mark;) {
        const Undo *undo = &ledger->undos[i];
        Str user = node_name(undo->user);
        Str channel = node_name(undo->channel);
        err = undo->was_added ? store_remove(ledger->store, user, channel)
                              : store_add(ledger->store, user, channel, STR_NONE, 0);
    }
    undo_to(ledger, mark);
    return err;
}

int ledger_begin(Ledger *ledger) {
    ledger->undo_count = 0;
    return store_begin(ledger->store);
}

int ledger_apply(Ledger *ledger, Op *op, Crowd *crowd) {
    size_t mark = ledger->undo_count;
    ledger->is_dry = op->is_dry;
    ledger->by = op->by ? bytes_str(op->by) : STR_NONE;
    find_crowd(ledger, op, crowd);
    int err = change_all(ledger, op, crowd);
    op->users_count = crowd->count;
    op->changed_count = ledger->undo_count - mark;
    if (err == ERR_LIMIT) op->error = ERR_LIMIT;
    if (err == ERR_LIMIT || (err == 0 && op->is_dry)) return take_back(ledger, mark);
    return err;
}

int ledger_commit(Ledger *ledger, int err) {
    if (err == 0) err = store_commit(ledger->store);
    if (err != 0) {
        store_rollback(ledger->store);
        undo_to(ledger, 0);
    }
    return err;
}

void ledger_end(Ledger *ledger) {
    Crowd *touched = &ledger->touched;
    size_t count = touched->count;
    touched->count = 0;
    ledger->serial++;
    /* Each node once: pruning one twice would touch freed memory. */
    for (size_t i = 0; i < count; i++) {
        Node *node = touched->users[i];
        if (node->mark == ledger->serial) continue;
        node->mark = ledger->serial;
        touched->users[touched->count++] = node;
    }
    for (size_t i = 0; i < touched->count; i++) graph_prune(ledger->graph, touched->users[i]);
    crowd_deinit(touched);
    if (ledger->undo_cap <= UNDOS_KEPT) return;
    mem_free(ledger->undos);
    ledger->undos = NULL;
    ledger->undo_cap = 0;
}
