/* SPDX-License-Identifier: Apache-2.0 */
#include "api/relay.h"

#include <unistd.h>

#include "api/api.h"
#include "api/lua_args.h"
#include "base/mem.h"
#include "net/exchange.h"
#include "net/handshake.h"
#include "script/task.h"

/* --- where it was accepted --- */

typedef struct Relayed {
    Api *api;
    Wait *wait;
    Request *request; /* lives as long as somebody waits */
    unsigned worker;  /* where it is */
    char sid[ENGINE_SID_LEN + 1];
} Relayed;

static Op *make_op(const Api *api, RelayKind kind, Str sid) {
    Op *op = op_new(OP_RELAY);
    op->code = (uint16_t)kind;
    op->origin = (uint16_t)api->worker;
    op_set_name(op, sid);
    return op;
}

static void on_gone(void *context) {
    const Relayed *relayed = context;
    Op *op = make_op(relayed->api, RELAY_ABORT, str_of(relayed->sid));
    bus_post(relayed->api->bus, relayed->worker, op);
}

static int push_answer(lua_State *L, void *data) {
    const Op *op = data;
    if (op->value != NULL) {
        push_str(L, bytes_str(op->value));
        return 1;
    }
    lua_pushnil(L);
    push_str(L, op_after(op));
    return 2;
}

static void on_answer(Op *op, void *waiter) {
    Relayed relayed = *(Relayed *)waiter;
    mem_free(waiter);
    relayed.api->asks--;
    if (wait_is_alive(relayed.wait)) relayed.request->on_gone = NULL;
    task_wake(relayed.wait, push_answer, op);
}

/* -1: no worker has such a sid. */
static int find_worker(const Api *api, Str sid) {
    int worker = engines_worker_of(sid);
    return worker >= 0 && (unsigned)worker < api->worker_count ? worker : -1;
}

static int push_unknown(lua_State *L) {
    lua_pushnil(L);
    lua_pushliteral(L, "sid-unknown");
    return 2;
}

int relay_ask(lua_State *L, RequestBox *box, RelayKind kind, Str sid) {
    Api *api = api_of(L);
    int worker = find_worker(api, sid);
    if (worker < 0 || box->request->exchange == NULL) return push_unknown(L);
    task_check(L);
    Relayed *relayed = mem_zalloc(sizeof *relayed);
    *relayed = (Relayed){.api = api, .request = box->request, .worker = (unsigned)worker};
    memcpy(relayed->sid, sid.data, sid.len);
    Op *op = make_op(api, kind, sid);
    if (kind == RELAY_POST) op->value = bytes_copy(buf_str(&box->request->body));
    op->on_answer = on_answer;
    op->waiter = relayed;
    box->request->on_gone = on_gone;
    box->request->gone_context = relayed;
    api->asks++;
    relayed->wait = task_arm(L);
    bus_post(api->bus, relayed->worker, op);
    return task_yield(L);
}

bool relay_upgrade(lua_State *L, RequestBox *box, Str sid) {
    const Api *api = api_of(L);
    int worker = find_worker(api, sid);
    if (worker < 0) return false;
    Buf rest = BUF_NONE;
    Bytes *answer = handshake_answer(box->request, STR_NONE);
    Conn *conn = exchange_give_conn(box->request, &rest);
    int fd = conn != NULL ? conn_give_fd(conn) : -1;
    box->was_answered = true;
    if (fd < 0) {
        if (conn != NULL) conn_close(conn);
        bytes_release(answer);
        buf_deinit(&rest);
        return true;
    }
    Op *op = make_op(api, RELAY_UPGRADE, sid);
    op->fd = fd;
    op->has_fd = true;
    op->value = answer;
    op->expect = bytes_copy(buf_str(&rest));
    buf_deinit(&rest);
    bus_post(api->bus, (unsigned)worker, op);
    return true;
}

/* --- where the connection lives --- */

/* A request that waits here for its answer. */
typedef struct Guest {
    Bus *bus;
    Op *op;
} Guest;

static void give(void *waiter, const char *code, Bytes *body) {
    Guest guest = *(Guest *)waiter;
    mem_free(waiter);
    bytes_release(guest.op->value);
    guest.op->value = body;
    if (code != NULL) op_set_after(guest.op, str_of(code));
    bus_answer(guest.bus, guest.op);
}

static PollingAnswer answer_of(Bus *bus, Op *op) {
    Guest *guest = mem_alloc(sizeof *guest);
    *guest = (Guest){bus, op};
    return (PollingAnswer){give, guest};
}

/* A worker that stops may have said that it is quiet: it takes no connection any more, and the Op closes it. */
static void upgrade(Engines *engines, Op *op) {
    if (!engines->net->is_draining) {
        op->has_fd = false;
        engines_upgrade(engines, op_name(op), op->fd, bytes_retain(op->value), bytes_str(op->expect));
    }
    op_free(op);
}

void relay_run(Engines *engines, Bus *bus, Op *op) {
    Bytes *body;
    switch ((RelayKind)op->code) {
    case RELAY_POLL: engines_poll(engines, op_name(op), answer_of(bus, op)); return;
    case RELAY_POST: /* the op may be answered and gone within */
        body = bytes_retain(op->value);
        engines_post(engines, op_name(op), bytes_str(body), answer_of(bus, op));
        bytes_release(body);
        return;
    case RELAY_ABORT:
        engines_abort(engines, op_name(op));
        op_free(op);
        return;
    case RELAY_UPGRADE: upgrade(engines, op); return;
    }
}
