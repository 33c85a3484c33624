/* SPDX-License-Identifier: Apache-2.0 */
#include "api/states.h"

#include "api/api_socket.h"
#include "api/memo.h"
#include "base/log.h"
#include "script/task.h"
#include "script/tidy.h"

void states_init(States *states) {
    states->current = NULL;
    states->old_count = 0;
    list_init(&states->all);
    list_init(&states->sockets);
}

static Api *api_at(List *link) {
    return list_entry(link, Api, link);
}

void states_cancel(States *states) {
    for (List *at = states->all.next; at != &states->all; at = at->next) {
        Api *api = api_at(at);
        api->net = NULL;
        api->is_running = false;
        task_cancel_all(api->script);
    }
}

void states_deinit(States *states) {
    states->current = NULL;
    while (!list_is_empty(&states->all)) api_free(api_at(states->all.next));
}

void states_use(States *states, Api *api) {
    api->states = states;
    list_add(&states->all, &api->link);
    states->current = api;
}

void states_serve(States *states, Conn *conn) {
    if (conn != NULL) exchange_open(conn, api_on_request, states);
}

void states_swap(States *states, Api *api, uint64_t deadline_ms) {
    Api *old = states->current;
    old->deadline_ms = deadline_ms;
    states->old_count++;
    states_use(states, api);
    api->is_running = true;
    move_sockets(states);
    api_take_over(api, old);
    task_retire(old->script);
    api_start(api);
}

static void cancel_late(Api *api) {
    log_line(LOG_WARN,
             "reload: %zu handlers of generation %llu were cancelled: they ran on longer than "
             "RELOAD_TIMEOUT",
             api->script->task_count, (unsigned long long)api->generation);
    task_cancel_all(api->script);
}

static void end_old(States *states, Api *api) {
    memo_hand_over(api, list_entry(api->link.next, Api, link));
    if (api->left_out > 0) {
        log_line(LOG_WARN,
                 "reload: %zu values of session.data were left out: functions, coroutines, sessions "
                 "and tables "
                 "with a metatable do not go along",
                 api->left_out);
    }
    states->old_count--;
    api_free(api);
}

void states_sweep(States *states, uint64_t now_ms) {
    List *next;
    for (List *at = states->all.next; states->old_count > 0 && at != &states->all; at = next) {
        next = at->next;
        Api *api = api_at(at);
        if (api == states->current) return;
        if (api->script->task_count > 0 && now_ms >= api->deadline_ms) cancel_late(api);
        if (api->script->task_count == 0 && api->asks == 0) end_old(states, api);
    }
}

uint64_t states_tidy(const States *states, uint64_t now_ms) {
    return tidy_turn(states->current->script, now_ms);
}

bool states_is_asking(const States *states) {
    for (const List *at = states->all.next; at != &states->all; at = at->next) {
        if (list_entry(at, const Api, link)->asks > 0) return true;
    }
    return false;
}
