/* SPDX-License-Identifier: Apache-2.0 */
#include "api/states.h"

#include "base/mem.h"
#include "script/task.h"

void states_init(States *states) {
    states->current = NULL;
    list_init(&states->all);
}

static Api *api_at(List *link) {
    return list_entry(link, Api, link);
}

void states_cancel(States *states) {
    for (List *at = states->all.next; at != &states->all; at = at->next) {
        Api *api = api_at(at);
        api->net = NULL;
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

bool states_is_asking(const States *states) {
    for (const List *at = states->all.next; at != &states->all; at = at->next) {
        if (list_entry(at, const Api, link)->asks > 0) return true;
    }
    return false;
}
