/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/orders.h"

#include "hub/fanout.h"

static uint32_t disconnect_user(const Registry *registry, const Op *op, Str user) {
    uint32_t count = 0;
    Subscriber *at = registry_find_user(registry, user);
    for (; at != NULL; at = at->sibling) {
        count++;
        if (!op->is_dry) at->class->close(at, op->code, op_name(op));
    }
    return count;
}

static void run_disconnect(const Registry *registry, Op *op) {
    for (uint32_t i = 0; i < op->users->count; i++) {
        op->sessions_count += disconnect_user(registry, op, op->users->items[i]);
    }
}

/* Tokens of the key that is replaced end, and with them their sessions, at once or at a later time. */
static void run_secret(const Registry *registry, Keyring *keys, Op *op) {
    op->error = keyring_change(keys, bytes_str(op->value), op->expires_ms);
    uint32_t generation = keys->generation;
    size_t at = 0;
    const Map *users = &registry->graph.users;
    for (Node *user = map_next(users, &at); user != NULL; user = map_next(users, &at)) {
        for (Subscriber *one = registry_sessions(user); one != NULL; one = one->sibling) {
            op->sessions_count += one->class->retire_key(one, generation, op->expires_ms);
        }
    }
}

/* What this user's sessions came with may be revoked now. */
static uint32_t end_revoked(const Registry *registry, const Revocations *revocations, Str user) {
    uint32_t count = 0;
    Subscriber *at = registry_find_user(registry, user);
    for (; at != NULL; at = at->sibling) {
        if (!revocations_has(revocations, user, at->class->claims(at))) continue;
        count++;
        at->class->close(at, SUBSCRIBER_CODE_REVOKED, STR("the token was revoked"));
    }
    return count;
}

static void run_revoke(const Registry *registry, Revocations *revocations, Op *op) {
    Str space = op_name(op);
    for (uint32_t i = 0; i < op->users->count; i++) {
        Str key = op->users->items[i];
        if (!revocations_add(revocations, space, key, op->channels->items[i])) continue;
        op->sessions_count += end_revoked(registry, revocations, revocations_user(space, key));
    }
}

bool orders_run(const Orders *orders, Op *op) {
    Registry *registry = orders->registry;
    switch (op->type) {
    case OP_NOTIFY: fanout_deliver(registry, op->notice, op->is_dry, op->tally); break;
    case OP_CHANGE: registry_change(registry, op->is_add, op->users, op->channels); break;
    case OP_DISCONNECT: run_disconnect(registry, op); break;
    case OP_SECRET: run_secret(registry, orders->keys, op); break;
    case OP_REVOKE: run_revoke(registry, orders->revocations, op); break;
    default: return false;
    }
    if (op->type == OP_CHANGE) {
        op_free(op);
    } else {
        bus_answer(orders->bus, op);
    }
    return true;
}
