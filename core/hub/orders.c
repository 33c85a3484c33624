/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/orders.h"

#include "hub/fanout.h"
#include "hub/relief.h"

/* Gives whether it closes the session. */
typedef bool (*Visit)(Subscriber *subscriber, const void *context);

/* The user's sessions, and those that are coming; counts the ones that are closed. */
static uint32_t visit_user(const Registry *registry, Str user, Visit visit, const void *context) {
    uint32_t count = 0;
    Subscriber *at = registry_find_user(registry, user);
    for (; at != NULL; at = at->sibling) count += visit(at, context);
    for (at = registry->coming; at != NULL; at = at->sibling) {
        if (str_equal(at->class->of_user(at), user)) count += visit(at, context);
    }
    return count;
}

static bool disconnect(Subscriber *subscriber, const void *context) {
    const Op *op = context;
    if (!op->is_dry) subscriber->class->close(subscriber, op->code, op_name(op));
    return true;
}

static void run_disconnect(const Registry *registry, Op *op) {
    for (uint32_t i = 0; i < op->users->count; i++) {
        op->sessions_count += visit_user(registry, op->users->items[i], disconnect, op);
    }
}

static uint32_t retire_keys(Subscriber *first, uint32_t generation, int64_t until_ms) {
    uint32_t count = 0;
    for (Subscriber *at = first; at != NULL; at = at->sibling) {
        count += at->class->retire_key(at, generation, until_ms);
    }
    return count;
}

/* Tokens of the key that is replaced end, and with them their sessions, at once or at a later time. */
static void run_secret(const Registry *registry, Keyring *keys, Op *op) {
    op->error = keyring_change(keys, bytes_str(op->value), op->expires_ms);
    uint32_t generation = keys->generation;
    size_t at = 0;
    const Map *users = &registry->graph.users;
    for (Node *user = map_next(users, &at); user != NULL; user = map_next(users, &at)) {
        op->sessions_count += retire_keys(registry_sessions(user), generation, op->expires_ms);
    }
    op->sessions_count += retire_keys(registry->coming, generation, op->expires_ms);
}

/* What a session came with may be revoked now. */
static bool end_revoked(Subscriber *subscriber, const void *context) {
    const Revocations *revocations = context;
    const SubscriberClass *class = subscriber->class;
    if (!revocations_has(revocations, class->of_user(subscriber), class->claims(subscriber)))
        return false;
    class->close(subscriber, SUBSCRIBER_CODE_REVOKED, STR("the token was revoked"));
    return true;
}

static void run_revoke(const Registry *registry, Revocations *revocations, Op *op) {
    Str space = op_name(op);
    for (uint32_t i = 0; i < op->users->count; i++) {
        Str key = op->users->items[i];
        if (!revocations_add(revocations, space, key, op->channels->items[i])) continue;
        Str user = revocations_user(space, key);
        op->sessions_count += visit_user(registry, user, end_revoked, revocations);
    }
}

bool orders_run(const Orders *orders, Op *op) {
    Registry *registry = orders->registry;
    switch (op->type) {
    case OP_NOTIFY: fanout_deliver(registry, op->notice, op->is_dry, op->tally); break;
    case OP_CHANGE: registry_change(registry, op->is_add, op->users, op->channels); break;
    case OP_DISCONNECT: run_disconnect(registry, op); break;
    case OP_RELIEVE: relief_end_slowest(registry, op->size); break;
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
