/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/search.h"

#include "base/ensure.h"
#include "base/mem.h"
#include "hub/page.h"

static void add_peers(Page *page, const Node *node) {
    for (uint32_t i = 0; i < node->edge_count; i++) page_add(page, node_name(node_edges(node)[i].peer));
}

Names *search_channels(const Node *user) {
    Page page;
    page_init(&page, STR_NONE, UINT32_MAX);
    add_peers(&page, user);
    return page_close(&page);
}

static void find_subscriptions(const Graph *graph, Op *op) {
    const Node *user = graph_find_user(graph, op_name(op));
    op->channels = user ? search_channels(user) : names_new(NULL, 0);
}

static void find_participants(const Graph *graph, Op *op) {
    Page page;
    page_init(&page, op_after(op), op->size);
    const Node *channel = graph_find_channel(graph, op_name(op));
    for (uint32_t i = 0; channel != NULL && i < channel->edge_count; i++) {
        const Node *user = node_edges(channel)[i].peer;
        bool is_online = online_find(user) != NULL;
        if (op->is_absent ? !is_online : is_online || op->is_offline) page_add(&page, node_name(user));
    }
    op->has_more = page.has_more;
    op->users = page_close(&page);
}

static void find_users(const Online *online, Op *op) {
    Page page;
    page_init(&page, op_after(op), op->size);
    for (List *at = online->users.next; at != &online->users; at = at->next) {
        page_add(&page, node_name(list_entry(at, Presence, link)->user));
    }
    op->has_more = page.has_more;
    op->users = page_close(&page);
}

static void count_online(const Graph *graph, const Online *online, Op *op) {
    if (op->name == NULL) {
        op->users_count = online->user_count;
        op->sessions_count = online->session_count;
        return;
    }
    const Node *user = graph_find_user(graph, op_name(op));
    const Presence *presence = user ? online_find(user) : NULL;
    op->users_count = presence != NULL;
    op->sessions_count = presence ? presence->sessions : 0;
}

static int add_origin(Store *store, Str user, Str channel, Buf *text) {
    StoreOrigin origin = {.by = BUF_NONE};
    int err = store_find_origin(store, user, channel, &origin);
    if (err == 0) {
        buf_addf(text, "%lld ", (long long)origin.since_ms);
        buf_add(text, buf_str(&origin.by));
    }
    buf_deinit(&origin.by);
    return err;
}

static int find_origins(Store *store, Op *op) {
    uint32_t count = op->channels->count;
    Buf *texts = mem_zalloc(count * sizeof *texts);
    Str *items = mem_alloc(count * sizeof *items);
    int err = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (err == 0) err = add_origin(store, op_name(op), op->channels->items[i], &texts[i]);
        items[i] = buf_str(&texts[i]);
    }
    op->users = names_new(items, count);
    for (uint32_t i = 0; i < count; i++) buf_deinit(&texts[i]);
    mem_free(texts);
    mem_free(items);
    return err;
}

void search_origins(const Graph *graph, Store *store, Op *op) {
    Page page;
    page_init(&page, op_after(op), op->size);
    const Node *user = graph_find_user(graph, op_name(op));
    if (user != NULL) add_peers(&page, user);
    op->has_more = page.has_more;
    op->channels = page_close(&page);
    op->error = find_origins(store, op);
}

void search_run(const Graph *graph, const Online *online, Op *op) {
    switch (op->type) {
    case OP_SUBSCRIPTIONS: find_subscriptions(graph, op); return;
    case OP_PARTICIPANTS: find_participants(graph, op); return;
    case OP_USERS: find_users(online, op); return;
    case OP_COUNT: count_online(graph, online, op); return;
    default: ensure(!"no question of the roster");
    }
}
