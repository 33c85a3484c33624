/* SPDX-License-Identifier: Apache-2.0 */
#include "press.h"

#include <stdio.h>

#include "base/mem.h"
#include "template.h"

static const uint64_t TURN_MAX_NS = 50000000;
static const uint64_t SPIN_NS = 200000; /* awake so long before an event is due, for timers are late */
static const double NS_PER_SECOND = 1e9;

enum { SEND_SECONDS_MAX = 60 };

struct Press {
    PressParts parts;
    uint64_t begin_ns, end_ns;
    uint64_t *turns; /* by publisher: how many events it has sent in this run */
    size_t publishers;
    uint64_t events;
    uint64_t events_max; /* where this run ends, if not by time */
    bool is_paced;       /* at the rate of the plan */
    Histogram *answers;
    Buf path, headers, body, event, attributes;
};

Press *press_new(const PressParts *parts) {
    Press *press = mem_zalloc(sizeof *press);
    press->parts = *parts;
    press->publishers = (size_t)parts->plan->publishers;
    press->turns = mem_zalloc(press->publishers * sizeof *press->turns);
    return press;
}

void press_free(Press *press) {
    if (press == NULL) return;
    buf_deinit(&press->path);
    buf_deinit(&press->headers);
    buf_deinit(&press->body);
    buf_deinit(&press->event);
    buf_deinit(&press->attributes);
    mem_free(press->turns);
    mem_free(press);
}

/* Up to a quarter, evenly spread over the turns. Without it all events would fall on the same place between two
 * ticks of the kernel, by which it samples what is user time. */
static double jitter(uint64_t turn) {
    return (double)((uint32_t)turn * UINT32_C(2654435769)) / (double)UINT32_MAX / 4;
}

/* Events go to the publishers in turns; this is when the next of this one is due. */
static uint64_t due_ns(const Press *press, size_t publisher) {
    uint64_t turn = press->turns[publisher] * press->publishers + publisher;
    double at = (double)turn + jitter(turn);
    return press->begin_ns + (uint64_t)(at / press->parts.plan->rate * NS_PER_SECOND);
}

static void make_event(Press *press, const Stamp *stamp) {
    size_t size = (size_t)press->parts.plan->size;
    buf_clear(&press->event);
    buf_clear(&press->attributes);
    stamp_add_event(&press->event, stamp, size);
    stamp_add_attributes(&press->attributes, stamp, size);
}

static void add_request(Press *press, size_t channel, Buf *request) {
    const Plan *plan = press->parts.plan;
    char name[32];
    snprintf(name, sizeof name, "bench-%zu", channel);
    const TemplateField fields[] = {{STR("channel"), str_of(name)},
                                    {STR("key"), plan->key},
                                    {STR("event"), buf_str(&press->event)},
                                    {STR("attributes"), buf_str(&press->attributes)},
                                    {STR_NONE, STR_NONE}};
    buf_clear(&press->path);
    buf_clear(&press->headers);
    buf_clear(&press->body);
    template_fill(&press->path, plan->publish_path, fields);
    template_fill(&press->body, plan->publish_body, fields);
    template_fill(&press->headers, plan->publish_header, fields);
    if (press->headers.len > 0) buf_add(&press->headers, STR("\r\n"));
    CallersPost post = {buf_str(&press->path), str_of(plan->host), buf_str(&press->headers),
                        buf_str(&press->body)};
    callers_add_post(request, &post);
}

static bool next(void *context, size_t publisher, Buf *request) {
    Press *press = context;
    uint64_t now = loop_now_ns();
    if (press->events == press->events_max) return false;
    uint64_t sent = press->is_paced ? due_ns(press, publisher) : now;
    if (sent > now || sent >= press->end_ns) return false;
    press->turns[publisher]++;
    size_t channel = (size_t)(press->events++ % press->parts.check->channels);
    Stamp stamp = {(uint32_t)publisher, check_number(press->parts.check, channel, publisher), sent};
    make_event(press, &stamp);
    add_request(press, channel, request);
    return true;
}

static void on_answered(void *context, const CallersAnswer *answer) {
    Press *press = context;
    if (press->answers != NULL) histogram_add(press->answers, answer->took_ns);
    if (answer->status / 100 == 2) return;
    loop_tell(press->parts.loop, "a notify was answered %d: %.*s", answer->status,
              STR_ARG(answer->body));
}

static uint64_t earliest_due_ns(const Press *press) {
    uint64_t earliest = press->end_ns;
    for (size_t i = 0; i < press->publishers; i++) {
        uint64_t due = due_ns(press, i);
        if (due < earliest) earliest = due;
    }
    return earliest;
}

/* Publishers that still wait for an answer when their event is due send it behind that. */
static void publish_at_rate(Press *press) {
    Loop *loop = press->parts.loop;
    for (uint64_t now = loop_now_ns(); now < press->end_ns && loop->trouble[0] == '\0';
         now = loop_now_ns()) {
        uint64_t due = earliest_due_ns(press);
        uint64_t wait = due > now + SPIN_NS ? due - now - SPIN_NS : 0;
        loop_turn(loop, wait < TURN_MAX_NS ? wait : TURN_MAX_NS);
        callers_kick(press->parts.callers);
    }
    callers_kick(press->parts.callers); /* what was due before the end, if this came late to it */
}

static bool is_over(void *context) {
    const Press *press = context;
    return callers_under_way(press->parts.callers) == 0 &&
           press->parts.check->received >= press->parts.check->expected;
}

static bool is_answered(void *context) {
    const Press *press = context;
    return press->events == press->events_max && callers_under_way(press->parts.callers) == 0;
}

static uint64_t progress(void *context) {
    const Press *press = context;
    return press->parts.check->received + callers_answered(press->parts.callers);
}

static void start(Press *press, double seconds) {
    press->begin_ns = loop_now_ns();
    press->end_ns = press->begin_ns + (uint64_t)(seconds * NS_PER_SECOND);
    memset(press->turns, 0, press->publishers * sizeof *press->turns);
    CallersJob job = {next, on_answered, press};
    callers_start(press->parts.callers, &job);
}

int press_run(Press *press, double seconds, Histogram *answers) {
    Loop *loop = press->parts.loop;
    press->events_max = UINT64_MAX;
    press->is_paced = press->parts.plan->rate > 0;
    press->answers = answers;
    start(press, seconds);
    if (press->is_paced) publish_at_rate(press);
    while (loop_now_ns() < press->end_ns && loop->trouble[0] == '\0') loop_turn(loop, TURN_MAX_NS);
    return press_wait(press);
}

int press_wait(Press *press) {
    uint64_t patience_ns = (uint64_t)(press->parts.plan->patience * NS_PER_SECOND);
    LoopGoal goal = {is_over, progress, press, patience_ns};
    return loop_until(press->parts.loop, &goal);
}

int press_send(Press *press, uint64_t count) {
    press->events_max = press->events + count;
    press->is_paced = false;
    press->answers = NULL;
    start(press, SEND_SECONDS_MAX);
    LoopGoal goal = {is_answered, progress, press, SEND_SECONDS_MAX * (uint64_t)NS_PER_SECOND};
    return loop_until(press->parts.loop, &goal);
}

uint64_t press_events(const Press *press) {
    return press->events;
}
