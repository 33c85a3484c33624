/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <netdb.h>
#include <stdio.h>

#include "base/mem.h"
#include "child.h"
#include "crowd.h"
#include "enroll.h"
#include "press.h"

enum { ENROLL_CALLERS = 32, ENROLL_DEPTH = 4, START_SECONDS = 30, LOG_BYTES = 1024, FIRST_SHARE = 10 };

static const double NS_PER_SECOND = 1e9;

struct Run {
    const Plan *plan;
    Loop loop;
    Child child;
    struct sockaddr_in server;
    Check check;
    Crowd *crowd;
    Callers *callers;
    Press *press;
    Report *report;
    size_t arrived, arriving; /* sessions that are there, and that shall be */
    const char *phase;        /* what it is at */
    MeterMark begin;          /* of the phase */
    uint64_t begin_ns;
    uint64_t shown; /* deliveries at the last progress */
    char trouble[RUN_TROUBLE_MAX];
};

static void show_progress(Run *run) {
    uint64_t received = run->check.received;
    fprintf(stderr, "%s: %zu of %d sessions, %llu calls answered, %llu deliveries (%llu a second)\n",
            run->phase, run->crowd ? crowd_connected(run->crowd) : 0, run->plan->sessions,
            (unsigned long long)(run->callers ? callers_answered(run->callers) : 0),
            (unsigned long long)received, (unsigned long long)(received - run->shown));
    run->shown = received;
}

static int64_t read_memory(Run *run) {
    int64_t bytes = 0;
    if (run->report->pid != 0 && meter_read_memory(run->report->pid, &bytes) != 0) return 0;
    return bytes;
}

static void note_peak(Run *run) {
    int64_t bytes = read_memory(run);
    if (bytes > run->report->peak_bytes) run->report->peak_bytes = bytes;
}

static void on_second(void *context) {
    Run *run = context;
    if (!run->plan->quiet) show_progress(run);
    if (run->press != NULL) note_peak(run);
}

Run *run_new(const Plan *plan) {
    Run *run = mem_zalloc(sizeof *run);
    run->plan = plan;
    run->phase = "start";
    check_init(&run->check, (size_t)(plan->sessions - plan->slow), (size_t)plan->channels,
               (size_t)plan->publishers);
    return run;
}

void run_free(Run *run) {
    press_free(run->press);
    callers_close(run->callers);
    crowd_free(run->crowd);
    loop_deinit(&run->loop);
    child_stop(&run->child);
    check_deinit(&run->check);
    mem_free(run);
}

/* What the server that would not start has printed, on one line of trouble. */
static void tell_of_child(Run *run, int err) {
    Buf log = BUF_NONE;
    child_read_log(&run->child, LOG_BYTES, &log);
    snprintf(run->trouble, sizeof run->trouble, "the server %s: %.*s",
             err == ERR_CLOSED ? "ended at its start" : "did not listen in time",
             STR_ARG(buf_str(&log)));
    buf_deinit(&log);
    loop_tell(&run->loop, "the server did not start");
}

static int start_child(Run *run) {
    int err = child_init(&run->child);
    if (err == 0) err = child_start(&run->child, run->plan->command, run->plan->server_core);
    if (err != 0) {
        loop_tell(&run->loop, "the server cannot be started");
        return err;
    }
    err = child_wait(&run->child, START_SECONDS);
    if (err != 0) tell_of_child(run, err);
    run->report->pid = (int)run->child.pid;
    return err;
}

static int find_server(Run *run) {
    int port = run->child.port ? run->child.port : run->plan->port;
    char digits[16];
    snprintf(digits, sizeof digits, "%d", port);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(run->plan->host, digits, &hints, &found) != 0) {
        loop_tell(&run->loop, "there is no host %s", run->plan->host);
        return ERR_NOT_FOUND;
    }
    memcpy(&run->server, found->ai_addr, sizeof run->server);
    freeaddrinfo(found);
    return 0;
}

static int prepare(Run *run) {
    const Plan *plan = run->plan;
    if (loop_init(&run->loop) != 0) return ERR_IO;
    run->report->pid = plan->pid;
    run->loop.on_second = on_second;
    run->loop.context = run;
    int err = plan->command ? start_child(run) : 0;
    if (err == 0) err = find_server(run);
    if (err == 0 && plan->load_core >= 0) err = child_pin(plan->load_core);
    if (err == ERR_INVALID) loop_tell(&run->loop, "there is no core %d", plan->load_core);
    if (err != 0) return err;
    CrowdParts parts = {&run->loop, plan, &run->server, &run->check};
    err = crowd_new(&parts, &run->crowd);
    if (err != 0) loop_tell(&run->loop, "JWT_ALGORITHM and JWT_SECRET make no tokens");
    return err;
}

/* A phase begins, or goes on: what it takes and costs is what changes until end_phase. */
static void begin_phase(Run *run, const char *name) {
    run->phase = name;
    run->begin_ns = loop_now_ns();
    if (run->report->pid != 0 && meter_read(run->report->pid, &run->begin) != 0) run->report->pid = 0;
}

static void end_phase(Run *run, ReportPhase *phase, uint64_t count) {
    MeterMark now = run->begin;
    if (run->report->pid != 0 && meter_read(run->report->pid, &now) != 0)
        loop_tell(&run->loop, "the server ended");
    MeterCpu cpu = meter_between(&run->begin, &now);
    phase->cpu.seconds += cpu.seconds;
    phase->cpu.user_seconds += cpu.user_seconds;
    phase->seconds += (double)(loop_now_ns() - run->begin_ns) / NS_PER_SECOND;
    phase->count += count;
}

static int fill(Run *run) {
    int64_t before = read_memory(run);
    begin_phase(run, "fill");
    int err = enroll_fill(run->plan, &run->loop, run->callers);
    end_phase(run, &run->report->fill, enroll_fill_pairs(run->plan));
    run->report->fill_bytes = read_memory(run) - before;
    return err;
}

static int subscribe(Run *run) {
    begin_phase(run, "subscribe");
    int err = enroll_sessions(run->plan, &run->loop, run->callers, run->arrived, run->arriving);
    bool is_last = run->arriving == (size_t)run->plan->sessions;
    end_phase(run, &run->report->subscribe, is_last ? enroll_pairs(run->plan) : 0);
    return err;
}

static int unsubscribe(Run *run) {
    begin_phase(run, "unsubscribe");
    int err = enroll_remove(run->plan, &run->loop, run->callers);
    end_phase(run, &run->report->unsubscribe, enroll_pairs(run->plan));
    return err;
}

/* Calls with the few connections of an app server that subscribes and unsubscribes. */
static int enroll(Run *run, int (*change)(Run *run)) {
    if (run->plan->subscribe_path.len == 0) return 0;
    callers_close(run->callers);
    run->callers = callers_open(&run->loop, &run->server, ENROLL_CALLERS, ENROLL_DEPTH);
    int err = change(run);
    callers_close(run->callers);
    run->callers = NULL;
    return err;
}

static int connect_some(Run *run) {
    begin_phase(run, "connect");
    int err = crowd_connect(run->crowd, run->arriving);
    end_phase(run, &run->report->connect, crowd_connected(run->crowd) - run->arrived);
    return err;
}

static int watch_idle(Run *run) {
    return loop_for(&run->loop, (uint64_t)(run->plan->idle * NS_PER_SECOND));
}

static int arrive(Run *run, size_t count) {
    run->arriving = count;
    int err = enroll(run, subscribe);
    if (err == 0) err = connect_some(run);
    run->arrived = count;
    return err;
}

/* Some come first and are idle for as long as all are then: a process grows once with the first that it does, and
 * what each further session takes is what is looked for. */
static int arrive_first(Run *run) {
    size_t count = (size_t)run->plan->sessions / FIRST_SHARE;
    run->report->start_bytes = read_memory(run);
    if (count == 0) return 0;
    int err = arrive(run, count);
    run->phase = "settle";
    return err == 0 ? watch_idle(run) : err;
}

static int arrive_all(Run *run) {
    int err = arrive_first(run);
    if (err != 0) return err;
    int64_t before = read_memory(run);
    size_t further = (size_t)run->plan->sessions - run->arrived;
    err = arrive(run, (size_t)run->plan->sessions);
    if (err != 0) return err;
    begin_phase(run, "idle");
    err = watch_idle(run);
    end_phase(run, &run->report->idle, crowd_connected(run->crowd));
    run->report->full_bytes = read_memory(run);
    int64_t growth = run->report->full_bytes - before;
    if (further > 0) run->report->session_bytes = (double)growth / (double)further;
    return err;
}

static int notify(Run *run) {
    const Plan *plan = run->plan;
    Report *report = run->report;
    if (plan->seconds <= 0) return 0;
    run->callers =
        callers_open(&run->loop, &run->server, (size_t)plan->publishers, (size_t)plan->pipeline);
    PressParts parts = {plan, &run->loop, run->callers, &run->check};
    run->press = press_new(&parts);
    run->phase = "warm-up";
    int err = plan->warmup > 0 ? press_run(run->press, plan->warmup, NULL) : 0;
    if (err != 0) return err;
    uint64_t events = press_events(run->press);
    uint64_t received = run->check.received;
    crowd_note(run->crowd, &report->latencies);
    begin_phase(run, "notify");
    err = press_run(run->press, plan->seconds, &report->answers);
    end_phase(run, &report->notify, press_events(run->press) - events);
    note_peak(run);
    report->deliver = report->notify;
    report->deliver.count = run->check.received - received;
    return err;
}

/* All lose their connections, miss some events, and come back for them. */
static int replay(Run *run) {
    const Plan *plan = run->plan;
    if (plan->replay == 0 || run->press == NULL) return 0;
    run->phase = "miss";
    crowd_note(run->crowd, NULL);
    crowd_cut(run->crowd);
    int err = press_send(run->press, (uint64_t)plan->replay * (uint64_t)plan->channels);
    int64_t before = read_memory(run);
    begin_phase(run, "replay");
    if (err == 0) err = crowd_connect(run->crowd, run->arrived);
    if (err == 0) err = press_wait(run->press);
    end_phase(run, &run->report->replay, crowd_connected(run->crowd));
    run->report->replay_bytes = read_memory(run) - before;
    return err;
}

/* Servers that do not close as they should are not this tool's business. */
static void leave(Run *run) {
    begin_phase(run, "leave");
    int err = crowd_leave(run->crowd);
    end_phase(run, &run->report->leave, crowd_connected(run->crowd));
    run->report->has_left = err == 0;
    run->report->slow_cut = crowd_slow_cut(run->crowd);
}

static void rest(Run *run) {
    if (run->plan->rest <= 0) return;
    run->phase = "rest";
    if (loop_for(&run->loop, (uint64_t)(run->plan->rest * NS_PER_SECOND)) != 0) return;
    run->report->rest_bytes = read_memory(run);
}

static int run_phases(Run *run) {
    int err = prepare(run);
    if (err == 0) err = enroll(run, fill);
    if (err == 0) err = arrive_all(run);
    if (err == 0) err = notify(run);
    if (err == 0) err = replay(run);
    if (err == 0 && run->plan->unsubscribe) err = enroll(run, unsubscribe);
    if (err != 0) return err;
    leave(run);
    rest(run);
    return 0;
}

void run_start(Run *run, Report *report) {
    *report = (Report){.pid = 0};
    run->report = report;
    int err = run_phases(run);
    report->disordered = check_close(&run->check);
    report->expected = run->check.expected;
    report->received = run->check.received;
    report->lost = run->check.lost;
    report->repeated = run->check.repeated;
    report->strange = run->check.strange;
    if (err == 0) return;
    if (err == ERR_TIMEOUT) loop_tell(&run->loop, "nothing moved any more during: %s", run->phase);
    if (run->trouble[0] == '\0') snprintf(run->trouble, sizeof run->trouble, "%s", run->loop.trouble);
    report->trouble = run->trouble;
}
