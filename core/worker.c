/* SPDX-License-Identifier: Apache-2.0
 *
 * One turn of the loop: the kernel's news are read and handled (answers and events are only queued); then
 * the answers are written, so a publisher does not wait for the fan-out; then the inbox is emptied,
 * which queues frames, after the publishers in it whose events had to be stored got their answers; then
 * the sessions that have something queued are written, of a crowd a part. The turn runs after polling
 * (uv_check) and before it (uv_prepare, for what timers made), and goes on while Ops of its own making
 * lie in the inbox.
 *
 * Stop order is the reverse of start order: listener, HTTP, sockets, Lua tasks, handles, state.
 */
#include "worker.h"

#include <poll.h>
#include <unistd.h>

#include "api/relay.h"
#include "api/states.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "hub/orders.h"
#include "net/drain.h"
#include "net/listener.h"
#include "net/ticker.h"

enum { ROUNDS_MAX = 64, SWEEP_PAUSE_MS = 1000 };

struct Worker {
    const Config *config;
    Bus *bus;
    unsigned index;
    char name[16];
    int listen_fd; /* -1 once the listener took it */
    uv_thread_t thread;
    bool is_stopping;
    bool is_quiet;       /* said so */
    bool has_own_mail;   /* posted by this thread: needs no wake-up */
    bool is_flooded;     /* its own mail made more of it, round by round, in the last turn */
    uint64_t leave_ms;   /* when it stops; 0: nobody has asked */
    uint64_t drained_ms; /* when all sessions have been told */
    uint64_t stop_deadline_ms;
    uint64_t sweep_ms; /* when the history wants it; 0: another worker does it */
    uv_sem_t *quiet;   /* the server's; set before STOP is posted */
    uv_loop_t loop;
    uv_async_t wake;
    uv_check_t check;
    uv_prepare_t prepare;
    Ticker ticker; /* turns the wheel */
    Inbox inbox;
    Net net;
    Engines engines;
    Registry registry;
    Orders orders;
    HttpClient *http;
    Api model; /* of its Lua states; not changed once the thread runs */
    States states;
    Op *room; /* a ROOM that waits for the end of an old state */
    Keyring keys;
    Revocations revocations;
    Listener *listener;
};

/* The island that the calling thread is, so that it does not wake itself by the kernel. */
static _Thread_local Worker *own_worker;

static void wake_worker(void *context) {
    Worker *worker = context;
    if (worker == own_worker) {
        worker->has_own_mail = true;
    } else {
        uv_async_send(&worker->wake);
    }
}

/* Answers the ROOM, as a rule when there is some; a worker that stops gets no new state. */
static void give_room(Worker *worker) {
    if (worker->room == NULL) return;
    if (worker->is_stopping) {
        worker->room->error = ERR_CANCELED;
    } else if (worker->states.old_count >= worker->config->reload_old_max) {
        return;
    }
    bus_answer(worker->bus, worker->room);
    worker->room = NULL;
}

static void run_room(Worker *worker, Op *op) {
    worker->room = op;
    give_room(worker);
}

static void run_swap(Worker *worker, Op *op) {
    Api *api = op->cargo;
    if (worker->is_stopping) {
        op->error = ERR_CANCELED;
        api_free(api);
    } else {
        uint64_t now_ms = net_now_ms(&worker->net);
        states_swap(&worker->states, api, now_ms + worker->config->reload_timeout_ms);
    }
    bus_answer(worker->bus, op);
}

static void drain(Worker *worker) {
    drain_step(&worker->net, worker->drained_ms);
    engines_drain(&worker->engines, worker->drained_ms);
}

static void begin_stop(Worker *worker) {
    if (worker->is_stopping) return;
    worker->is_stopping = true;
    uint64_t now_ms = net_now_ms(&worker->net);
    worker->stop_deadline_ms = now_ms + worker->config->stop_timeout_ms;
    worker->drained_ms = now_ms + worker->config->stop_spread_ms;
    if (worker->listener != NULL) listener_close(worker->listener);
    worker->listener = NULL;
    give_room(worker);
    api_stop(worker->states.current);
    drain_start(&worker->net);
    drain(worker);
}

/* Those who balance load are told first, while everything is still served. */
static void leave(Worker *worker) {
    if (worker->leave_ms != 0) return;
    worker->leave_ms = net_now_ms(&worker->net) + worker->config->stop_delay_ms;
    api_leave(worker->states.current);
}

static void end_loop(Worker *worker) {
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->check, NULL);
    uv_close((uv_handle_t *)&worker->prepare, NULL);
    ticker_close(&worker->ticker);
}

/* Code that a reload has replaced meanwhile is parked where it runs; the new code may have been mended. */
static void run_park(Worker *worker, Op *op) {
    Api *api = worker->states.current;
    if (op->generation == api->generation) api_on_parked(api, op_name(op), bytes_str(op->value));
    op_free(op);
}

static void run_trim(Worker *worker, Op *op) {
    pool_trim(&worker->net.pool);
    graph_trim(&worker->registry.graph);
    mem_trim_end();
    op_free(op);
}

static void run_answer(Op *op) {
    op->on_answer(op, op->waiter);
    op_free(op);
}

static void run_op(Worker *worker, Op *op) {
    if (op->is_answer) {
        run_answer(op);
        return;
    }
    if (orders_run(&worker->orders, op)) return;
    switch (op->type) {
    case OP_INQUIRY: api_on_inquiry(worker->states.current, op); return;
    case OP_ROOM: run_room(worker, op); return;
    case OP_SWAP: run_swap(worker, op); return;
    case OP_RELAY: relay_run(&worker->engines, worker->bus, op); return;
    case OP_PRESENCE:
        api_on_presence(worker->states.current, op_name(op), op->is_add, op->generation);
        op_free(op);
        return;
    case OP_PARK: run_park(worker, op); return;
    case OP_TRIM: run_trim(worker, op); return;
    case OP_STOP:
        leave(worker);
        op_free(op);
        return;
    case OP_END:
        end_loop(worker);
        op_free(op);
        return;
    default: ensure(!"an op of another island");
    }
}

/* Whose event was stored goes on, and its answer goes out, before the fan-out here. Gives the other ops. */
static Op *answer_publishers(Worker *worker, Op *ops) {
    bool has_answered = false;
    for (Op **at = &ops; *at != NULL;) {
        Op *op = *at;
        if (!op->is_answer || op->type != OP_LOG) {
            at = &op->next;
            continue;
        }
        *at = op->next;
        run_answer(op);
        has_answered = true;
    }
    if (has_answered) net_answer(&worker->net);
    return ops;
}

static void empty_inbox(Worker *worker) {
    Op *op = answer_publishers(worker, inbox_take(&worker->inbox));
    while (op != NULL) {
        Op *next = op->next;
        run_op(worker, op);
        op = next;
    }
}

static void work_off(Worker *worker) {
    net_answer(&worker->net);
    worker->is_flooded = false;
    for (int i = 0; i < ROUNDS_MAX; i++) {
        worker->has_own_mail = false;
        empty_inbox(worker);
        net_flush(&worker->net);
        if (!worker->has_own_mail) return;
    }
    worker->is_flooded = true;
    uv_async_send(&worker->wake); /* more to do, but the kernel's news shall not wait longer */
}

static void turn(Worker *worker) {
    work_off(worker);
    drops_tell(&worker->states.drops);
    bus_end_turn(worker->bus);
    if (worker->states.old_count == 0) return;
    states_sweep(&worker->states, net_now_ms(&worker->net));
    give_room(worker);
}

static void on_check(uv_check_t *handle) {
    turn(handle->data);
}

static void start_ticker(Worker *worker) {
    bool is_busy = worker->is_stopping || worker->states.old_count > 0;
    ticker_start(&worker->ticker, is_busy ? net_now_ms(&worker->net) + WHEEL_TICK_MS : 0);
    ticker_start(&worker->ticker, worker->sweep_ms);
    if (!worker->is_stopping) ticker_start(&worker->ticker, worker->leave_ms);
    ticker_start(&worker->ticker, states_tidy(&worker->states, net_now_ms(&worker->net)));
}

/* The loop is about to wait. What hooks and tasks made at the end of the turn shall not. */
static void on_prepare(uv_prepare_t *handle) {
    Worker *worker = handle->data;
    turn(worker);
    if (worker->has_own_mail || net_is_dirty(&worker->net)) uv_async_send(&worker->wake);
    start_ticker(worker);
}

static void on_wake(uv_async_t *handle) {
    (void)handle; /* the check behind the poll empties the inbox */
}

static void check_quiet(Worker *worker) {
    bool is_late = net_now_ms(&worker->net) >= worker->stop_deadline_ms;
    if (worker->net.conn_count > 0 || engines_are_polling(&worker->engines)) {
        if (is_late) conn_close_all(&worker->net);
        return;
    }
    if (worker->is_quiet || states_is_asking(&worker->states)) return;
    if (!worker->states.current->is_stopped && !is_late) return;
    worker->is_quiet = true;
    uv_sem_post(worker->quiet);
}

/* What one worker looks after for all. */
static void sweep(Worker *worker, uint64_t now_ms) {
    bus_relieve(worker->bus, worker->net.limits.queues_bytes_max);
    bool has_more = history_sweep(worker->bus->history, now_ms);
    worker->sweep_ms = now_ms + (has_more ? WHEEL_TICK_MS : SWEEP_PAUSE_MS);
}

static void keep_house(void *context) {
    Worker *worker = context;
    uint64_t now_ms = net_now_ms(&worker->net);
    if (worker->sweep_ms != 0) sweep(worker, now_ms);
    if (worker->leave_ms != 0 && now_ms >= worker->leave_ms) begin_stop(worker);
    if (!worker->is_stopping) return;
    drain(worker);
    check_quiet(worker);
}

static void on_connect(void *context, int fd) {
    Worker *worker = context;
    states_serve(&worker->states, conn_open(&worker->net, fd));
}

static int open_loop(Worker *worker) {
    if (uv_loop_init(&worker->loop) != 0) return ERR_UNAVAILABLE;
    ensure(uv_async_init(&worker->loop, &worker->wake, on_wake) == 0);
    ensure(uv_check_init(&worker->loop, &worker->check) == 0);
    ensure(uv_prepare_init(&worker->loop, &worker->prepare) == 0);
    worker->check.data = worker->prepare.data = worker;
    uv_check_start(&worker->check, on_check);
    uv_prepare_start(&worker->prepare, on_prepare);
    return 0;
}

/* A session lives as long past the end of its token as tokens are taken; it is warned of the token's end. */
static uint32_t notice_before_end_ms(const Config *config) {
    return config->expiring_notice_ms + (uint32_t)config->jwt_leeway_s * 1000;
}

static void fill_model(Worker *worker, Commons *commons) {
    const Config *config = worker->config;
    worker->model = (Api){
        .states = &worker->states,
        .bus = worker->bus,
        .registry = &worker->registry,
        .net = &worker->net,
        .engines = &worker->engines,
        .jobs = commons->jobs,
        .shared = commons->shared,
        .meters = commons->meters,
        .history = commons->bus.history,
        .replay_max = config->replay_max,
        .http = worker->http,
        .keys = &worker->keys,
        .revocations = &worker->revocations,
        .settings = config->settings,
        .setting_count = config->setting_count,
        .limits = config->script,
        .home = config->home,
        .node_name = config->node_name,
        .trial = config->trial,
        .worker = (int)worker->index,
        .worker_count = config->workers,
        .json_depth_max = config->json_depth_max,
        .expiring_notice_ms = notice_before_end_ms(config),
    };
}

int worker_prepare(const Worker *worker, uint64_t generation, Buf *fault, Api **out) {
    Api *api = api_new(&worker->model);
    api->generation = generation;
    int err = api_setup(api, fault);
    if (err != 0) {
        api_free(api);
        return err;
    }
    *out = api;
    return 0;
}

static int open_first_state(Worker *worker) {
    Buf fault = BUF_NONE;
    Api *api;
    states_init(&worker->states);
    int err = worker_prepare(worker, 1, &fault, &api);
    if (err == 0) {
        states_use(&worker->states, api);
    } else {
        log_write(LOG_ERROR, buf_str(&fault), NULL, 0);
    }
    buf_deinit(&fault);
    return err;
}

int worker_new(Commons *commons, unsigned index, int listen_fd, Worker **out) {
    Worker *worker = mem_zalloc(sizeof *worker);
    worker->config = commons->config;
    worker->bus = &commons->bus;
    worker->index = index;
    worker->listen_fd = listen_fd;
    snprintf(worker->name, sizeof worker->name, "worker-%u", index);
    int err = open_loop(worker);
    if (err != 0) {
        mem_free(worker);
        return err;
    }
    inbox_init(&worker->inbox, wake_worker, worker);
    commons->bus.workers[index] = &worker->inbox;
    net_init(&worker->net, &worker->loop, &commons->config->net);
    engines_init(&worker->engines, &worker->net, index);
    ticker_open(&worker->ticker, &worker->net, keep_house, worker);
    if (index == 0) worker->sweep_ms = net_now_ms(&worker->net);
    registry_init(&worker->registry, history_sequence(commons->bus.history));
    worker->registry.on_drop = drops_add;
    worker->registry.drop_context = &worker->states.drops;
    worker->net.on_void = drops_add_void;
    worker->net.void_context = &worker->states.drops;
    drops_init(&worker->states.drops, &worker->states, worker->config->dropped_max);
    worker->registry.trace =
        trace_new(index, worker->config->trace_bytes_max / worker->config->workers);
    worker->orders = (Orders){worker->bus, &worker->registry, &worker->keys, &worker->revocations};
    keyring_copy(&worker->keys, &commons->keys);
    revocations_copy(&worker->revocations, &commons->revocations);
    worker->http = http_client_open(&worker->net, &commons->config->http);
    fill_model(worker, commons);
    *out = worker;
    return open_first_state(worker);
}

static void run(void *context) {
    Worker *worker = context;
    own_worker = worker;
    log_name_thread(worker->name);
    metrics_join();
    worker->states.current->is_running = true;
    bus_start_turns();
    api_start(worker->states.current);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    bus_stop_turns(worker->bus);
    script_leave_thread();
    own_worker = NULL;
}

int worker_start(Worker *worker) {
    int fd = worker->listen_fd;
    worker->listen_fd = -1;
    int err = listener_open(&worker->loop, fd, on_connect, worker, &worker->listener);
    if (err != 0) return err;
    return uv_thread_create(&worker->thread, run, worker) == 0 ? 0 : ERR_UNAVAILABLE;
}

void worker_stop(Worker *worker, uv_sem_t *quiet) {
    worker->quiet = quiet;
    inbox_post(&worker->inbox, op_new(OP_STOP));
}

void worker_join(Worker *worker) {
    inbox_post(&worker->inbox, op_new(OP_END));
    uv_thread_join(&worker->thread);
}

void worker_open(Worker *worker) {
    own_worker = worker;
    worker->states.current->is_running = true;
    api_start(worker->states.current);
}

void worker_connect(Worker *worker, int fd) {
    states_serve(&worker->states, conn_adopt(&worker->net, fd));
}

/* What becomes ready by what this turn does is seen by the next one, so one turn alone tells nothing. */
WorkerTurn worker_turn(Worker *worker) {
    struct pollfd kernel = {.fd = uv_backend_fd(&worker->loop), .events = POLLIN};
    own_worker = worker;
    net_hold(&worker->net);
    uv_run(&worker->loop, UV_RUN_NOWAIT);
    WheelTimer *timer = wheel_first(&worker->net.wheel);
    bool is_due = timer != NULL && timer->deadline_ms <= worker->net.held_ms;
    if (is_due) wheel_fire(&worker->net.wheel, timer, worker->net.held_ms);
    keep_house(worker);
    bool is_closing = uv_backend_timeout(&worker->loop) == 0;
    if (worker->is_flooded) return WORKER_FLOODED;
    bool is_busy = is_due || is_closing || worker->has_own_mail || poll(&kernel, 1, 0) > 0;
    return is_busy ? WORKER_BUSY : WORKER_QUIET;
}

Net *worker_net(Worker *worker) {
    return &worker->net;
}

Api *worker_api(const Worker *worker) {
    return worker->states.current;
}

static void on_left_over(uv_handle_t *handle, void *context) {
    (void)context;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void worker_free(Worker *worker) {
    if (worker->listen_fd >= 0) close(worker->listen_fd);
    if (own_worker == worker) own_worker = NULL;
    states_cancel(&worker->states);
    http_client_close(worker->http);
    uv_walk(&worker->loop, on_left_over, NULL);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    while (net_is_dirty(&worker->net)) net_flush(&worker->net); /* frees what worker_close closed */
    ensure(uv_loop_close(&worker->loop) == 0);
    trace_free(worker->registry.trace);
    registry_deinit(&worker->registry);
    drops_deinit(&worker->states.drops);
    states_deinit(&worker->states);
    keyring_deinit(&worker->keys);
    revocations_deinit(&worker->revocations);
    engines_deinit(&worker->engines);
    net_deinit(&worker->net);
    inbox_deinit(&worker->inbox);
    mem_free(worker);
}
