/* SPDX-License-Identifier: Apache-2.0 */
#include "enroll.h"

#include "template.h"

enum { USERS_PER_CALL = 100 };

typedef struct Enroll {
    const Plan *plan;
    Loop *loop;
    Str path;    /* of the calls */
    size_t next; /* the call that comes next */
    size_t end;  /* behind the last one */
} Enroll;

static size_t min_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Channels of each user that fills, at least one. */
static size_t fill_channels_each(const Plan *plan) {
    if (plan->fill_each > 0) return (size_t)plan->fill_each;
    size_t each = plan->fill_users > 0 ? (size_t)plan->fill_channels / (size_t)plan->fill_users : 0;
    return each > 0 ? each : 1;
}

uint64_t enroll_pairs(const Plan *plan) {
    return plan->subscribe_path.len > 0 ? (uint64_t)plan->sessions * (uint64_t)plan->subscriptions : 0;
}

uint64_t enroll_fill_pairs(const Plan *plan) {
    return plan->fill_channels > 0 ? (uint64_t)plan->fill_users * fill_channels_each(plan) : 0;
}

static void add_resource(Buf *resources, const char *type, size_t id) {
    buf_addf(resources, "%s{\"type\":\"%s\",\"id\":\"%zu\"}", resources->len > 0 ? "," : "", type, id);
}

/* Adds the call and frees its parts. */
static void add_call(const Enroll *enroll, Buf *users, Buf *resources, Buf *request) {
    const Plan *plan = enroll->plan;
    const TemplateField fields[] = {{STR("users"), buf_str(users)},
                                    {STR("resources"), buf_str(resources)},
                                    {STR("key"), plan->key},
                                    {STR_NONE, STR_NONE}};
    Buf path = BUF_NONE;
    Buf headers = BUF_NONE;
    Buf body = BUF_NONE;
    template_fill(&path, enroll->path, fields);
    template_fill(&body, plan->subscribe_body, fields);
    template_fill(&headers, plan->publish_header, fields);
    if (headers.len > 0) buf_add(&headers, STR("\r\n"));
    CallersPost post = {buf_str(&path), str_of(plan->host), buf_str(&headers), buf_str(&body)};
    callers_add_post(request, &post);
    buf_deinit(&path);
    buf_deinit(&headers);
    buf_deinit(&body);
    buf_deinit(users);
    buf_deinit(resources);
}

static size_t users_per_channel(const Plan *plan) {
    return ((size_t)plan->sessions + (size_t)plan->channels - 1) / (size_t)plan->channels;
}

static size_t calls_per_channel(const Plan *plan) {
    return (users_per_channel(plan) + USERS_PER_CALL - 1) / USERS_PER_CALL;
}

static size_t count_calls(const Plan *plan) {
    return calls_per_channel(plan) * (size_t)plan->channels;
}

/* Call n is for some of the users of one channel; their further channels are theirs alone. */
static bool next_of_sessions(void *context, size_t caller, Buf *request) {
    Enroll *enroll = context;
    const Plan *plan = enroll->plan;
    size_t channels = (size_t)plan->channels;
    size_t per_channel = users_per_channel(plan);
    size_t calls_each = calls_per_channel(plan);
    if (enroll->next == enroll->end) return false;
    size_t call = enroll->next++;
    size_t channel = call / calls_each;
    size_t first = call % calls_each * USERS_PER_CALL;
    Buf users = BUF_NONE;
    Buf resources = BUF_NONE;
    for (size_t i = first; i < min_of(first + USERS_PER_CALL, per_channel); i++) {
        size_t user = channel + i * channels;
        if (user < (size_t)plan->sessions)
            buf_addf(&users, "%sbench-%zu", users.len > 0 ? "," : "", user);
    }
    if (users.len == 0) return next_of_sessions(context, caller, request);
    add_resource(&resources, "bench", channel);
    for (size_t i = 1; i < (size_t)plan->subscriptions; i++) {
        add_resource(&resources, "more", call * (size_t)plan->subscriptions + i);
    }
    add_call(enroll, &users, &resources, request);
    return true;
}

static bool next_of_fill(void *context, size_t caller, Buf *request) {
    (void)caller;
    Enroll *enroll = context;
    const Plan *plan = enroll->plan;
    if (enroll->next == enroll->end) return false;
    size_t user = enroll->next++;
    size_t each = fill_channels_each(plan);
    Buf users = BUF_NONE;
    Buf resources = BUF_NONE;
    buf_addf(&users, "fill-%zu", user);
    for (size_t i = 0; i < each; i++) {
        add_resource(&resources, "fill", (user * each + i) % (size_t)plan->fill_channels);
    }
    add_call(enroll, &users, &resources, request);
    return true;
}

static void on_answered(void *context, const CallersAnswer *answer) {
    Enroll *enroll = context;
    if (answer->status / 100 == 2) return;
    loop_tell(enroll->loop, "subscribing was answered %d: %.*s", answer->status, STR_ARG(answer->body));
}

static int run(Enroll *enroll, Callers *callers,
               bool (*next)(void *context, size_t caller, Buf *request)) {
    CallersJob job = {next, on_answered, enroll};
    return callers_run(callers, &job);
}

int enroll_sessions(const Plan *plan, Loop *loop, Callers *callers, size_t begin, size_t end) {
    if (enroll_pairs(plan) == 0) return 0;
    size_t calls = count_calls(plan);
    size_t sessions = (size_t)plan->sessions;
    Enroll enroll = {plan, loop, plan->subscribe_path, calls * begin / sessions,
                     calls * end / sessions};
    return run(&enroll, callers, next_of_sessions);
}

int enroll_remove(const Plan *plan, Loop *loop, Callers *callers) {
    if (enroll_pairs(plan) == 0) return 0;
    Enroll enroll = {plan, loop, plan->unsubscribe_path, 0, count_calls(plan)};
    return run(&enroll, callers, next_of_sessions);
}

int enroll_fill(const Plan *plan, Loop *loop, Callers *callers) {
    if (enroll_fill_pairs(plan) == 0) return 0;
    Enroll enroll = {plan, loop, plan->subscribe_path, 0, (size_t)plan->fill_users};
    return run(&enroll, callers, next_of_fill);
}
