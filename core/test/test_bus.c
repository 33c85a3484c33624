/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.bus: a Bus with a real Roster on its thread, and workers that are mere inboxes: what comes to
 * a worker is given to the spec as a list of events, when it pumps. A worker is known by its number.
 *     local node = bus.new{workers = 2, loaded = {"u", "c"}, sessions_max = 10}
 *     node:ask(1, {op = "JOIN", name = "u", tag = "first"})
 *     node:pump(1)  -> { {op = "JOIN", tag = "first", channels = {"c"}} }    waits until something came
 *     node:rest(1)  -> {}                                                    does not
 */
#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "api/lua_args.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "hub/roster.h"
#include "test/test.h"
#include "test/test_names.h"

#define NODE "core.test.node"

enum { FAKE_WORKERS_MAX = 8, PATIENCE_S = 30 };

typedef struct FakeStore {
    Store store;
    atomic_bool fails; /* at commit */
    Names *loaded;     /* user, channel, user, channel ... */
} FakeStore;

typedef struct FakeWorker {
    Inbox inbox;
    pthread_mutex_t lock; /* guards has_mail */
    pthread_cond_t mail;
    bool has_mail;
} FakeWorker;

typedef struct TestNode {
    Bus bus;
    FakeStore store;
    Roster *roster; /* NULL: stopped */
    FakeWorker workers[FAKE_WORKERS_MAX];
    lua_State *L; /* during a pump; the list of events is on top */
} TestNode;

/* Who waits for an answer. */
typedef struct Asker {
    TestNode *node;
    char tag[32];
} Asker;

static int load(Store *store, StoreOnSubscription on_subscription, void *context) {
    const Names *loaded = ((FakeStore *)(void *)store)->loaded;
    for (uint32_t i = 0; i + 1 < loaded->count; i += 2) {
        on_subscription(context, loaded->items[i], loaded->items[i + 1], 0);
    }
    return 0;
}

static int begin(Store *store) {
    (void)store;
    return 0;
}

static int add(Store *store, Str user, Str channel, Str by, uint64_t mark) {
    (void)store, (void)user, (void)channel, (void)by, (void)mark;
    return 0;
}

static int remove_one(Store *store, Str user, Str channel) {
    (void)store, (void)user, (void)channel;
    return 0;
}

static int commit(Store *store) {
    return atomic_load(&((FakeStore *)(void *)store)->fails) ? ERR_IO : 0;
}

static void rollback(Store *store) {
    (void)store;
}

static void close_store(Store *store) {
    names_free(((FakeStore *)(void *)store)->loaded);
}

static const StoreClass fake_class = {
    .load = load,
    .begin = begin,
    .add = add,
    .remove = remove_one,
    .commit = commit,
    .rollback = rollback,
    .close = close_store,
};

static void wake(void *context) {
    FakeWorker *worker = context;
    pthread_mutex_lock(&worker->lock);
    worker->has_mail = true;
    pthread_mutex_unlock(&worker->lock);
    pthread_cond_signal(&worker->mail);
}

/* False when nothing comes. */
static bool wait_for_mail(FakeWorker *worker) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_S;
    int err = 0;
    pthread_mutex_lock(&worker->lock);
    while (!worker->has_mail && err != ETIMEDOUT) {
        err = pthread_cond_timedwait(&worker->mail, &worker->lock, &deadline);
    }
    bool has_mail = worker->has_mail;
    worker->has_mail = false;
    pthread_mutex_unlock(&worker->lock);
    return has_mail;
}

static TestNode *check_node(lua_State *L) {
    return luaL_checkudata(L, 1, NODE);
}

static unsigned check_worker(lua_State *L, int arg) {
    lua_Integer number = luaL_checkinteger(L, arg);
    luaL_argcheck(L, number >= 1 && number <= check_node(L)->bus.worker_count, arg, "no such worker");
    return (unsigned)number - 1;
}

static uint32_t opt_field_number(lua_State *L, int index, const char *name, uint32_t otherwise) {
    lua_getfield(L, index, name);
    lua_Integer number = luaL_optinteger(L, -1, otherwise);
    lua_pop(L, 1);
    return (uint32_t)number;
}

static void add_worker(TestNode *node) {
    FakeWorker *worker = &node->workers[node->bus.worker_count];
    ensure(pthread_mutex_init(&worker->lock, NULL) == 0 && pthread_cond_init(&worker->mail, NULL) == 0);
    inbox_init(&worker->inbox, wake, worker);
    node->bus.workers[node->bus.worker_count++] = &worker->inbox;
}

/* {workers =, loaded = {user, channel, ...}}, and the RosterLimits by their names */
static int f_new(lua_State *L) {
    RosterLimits limits = {
        .subscriptions_per_user_max = opt_field_number(L, 1, "subscriptions_per_user_max", 1000),
        .subscriptions_max = opt_field_number(L, 1, "subscriptions_max", 1000),
        .sessions_per_user_max = opt_field_number(L, 1, "sessions_per_user_max", 1000),
        .sessions_max = opt_field_number(L, 1, "sessions_max", 1000),
    };
    uint32_t workers = opt_field_number(L, 1, "workers", 1);
    luaL_argcheck(L, workers >= 1 && workers <= FAKE_WORKERS_MAX, 1, "workers: 1 to 8");
    Names *loaded = check_field_names(L, 1, "loaded");
    TestNode *node = lua_newuserdatauv(L, sizeof *node, 0);
    memset(node, 0, sizeof *node);
    node->store.store.class = &fake_class;
    node->store.loaded = loaded ? loaded : names_new(NULL, 0);
    bus_init(&node->bus);
    for (uint32_t i = 0; i < workers; i++) add_worker(node);
    luaL_setmetatable(L, NODE);
    ensure(roster_start(&node->bus, &node->store.store, &limits, NULL, &node->roster) == 0);
    return 1;
}

static void set_text(lua_State *L, const char *name, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_bool(lua_State *L, const char *name, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

/* Adds the table on top to the list of events below it. */
static void add_event(lua_State *L) {
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static const char *name_of(OpType type) {
    static const char *const names[] = {
#define OP_NAME(name, island) #name,
        OP_MAP(OP_NAME)
#undef OP_NAME
    };
    return names[type];
}

static Asker *asker_new(TestNode *node, Str tag) {
    Asker *asker = mem_zalloc(sizeof *asker);
    asker->node = node;
    memcpy(asker->tag, tag.data, tag.len < sizeof asker->tag ? tag.len : sizeof asker->tag - 1);
    return asker;
}

static void on_answer(Op *op, void *waiter) {
    Asker *asker = waiter;
    lua_State *L = asker->node->L;
    lua_newtable(L);
    set_text(L, "op", name_of(op->type));
    set_text(L, "tag", asker->tag);
    if (op->error != 0) set_text(L, "error", err_name(op->error));
    if (op->type == OP_JOIN || op->type == OP_SUBSCRIPTIONS)
        set_field_names(L, "channels", op->channels);
    if (op->type == OP_PARTICIPANTS || op->type == OP_USERS) {
        set_field_names(L, "names", op->users);
        set_bool(L, "has_more", op->has_more);
    }
    set_field_integer(L, "users", (lua_Integer)op->users_count);
    set_field_integer(L, "sessions", (lua_Integer)op->sessions_count);
    set_field_integer(L, "changed", (lua_Integer)op->changed_count);
    add_event(L);
    mem_free(asker);
}

static void on_count(void *waiter, uint64_t sessions) {
    Asker *asker = waiter;
    lua_State *L = asker->node->L;
    lua_newtable(L);
    set_text(L, "op", "counted");
    set_text(L, "tag", asker->tag);
    set_field_integer(L, "sessions", (lua_Integer)sessions);
    add_event(L);
    mem_free(asker);
}

static void on_tally(void *waiter, Tally *tally) {
    uint64_t users;
    uint64_t sessions;
    tally_close(tally, &users, &sessions);
    lua_State *L = ((Asker *)waiter)->node->L;
    on_count(waiter, sessions);
    lua_rawgeti(L, -1, (lua_Integer)lua_rawlen(L, -1));
    set_field_integer(L, "users", (lua_Integer)users);
    lua_pop(L, 1);
}

/* {op =, tag =, name =, after =, size =, users =, users_of =, channels =, dry =, offline =}. Without a tag
 * no answer is wanted. */
static int f_ask(lua_State *L) {
    TestNode *node = check_node(L);
    unsigned worker = check_worker(L, 2);
    Str wanted = opt_field_str(L, 3, "op");
    OpType type = OP_SUBSCRIBE;
    while (type < OP_CLOSE && !str_equal(str_of(name_of(type)), wanted)) type++;
    luaL_argcheck(L, type < OP_CLOSE, 3, "not an op of the roster");
    Op *op = op_new(type);
    op->origin = (uint16_t)worker;
    op->users = check_field_names(L, 3, "users");
    op->users_of = check_field_names(L, 3, "users_of");
    op->channels = check_field_names(L, 3, "channels");
    op->is_dry = opt_field_bool(L, 3, "dry");
    op->is_offline = opt_field_bool(L, 3, "offline");
    op->size = opt_field_number(L, 3, "size", 1000);
    Str name = opt_field_str(L, 3, "name");
    if (name.data != NULL) op_set_name(op, name);
    op_set_after(op, opt_field_str(L, 3, "after"));
    Str tag = opt_field_str(L, 3, "tag");
    if (tag.data != NULL) {
        op->on_answer = on_answer;
        op->waiter = asker_new(node, tag);
    }
    bus_ask_roster(&node->bus, op);
    return 0;
}

static Bytes *encode(const MessageParts *parts, MessageParts *placed) {
    Bytes *frame = bytes_copy(parts->attributes);
    *placed = (MessageParts){.attributes = bytes_str(frame)};
    return frame;
}

static const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT] = {[MESSAGE_WS] = encode};

/* worker, {names =, text =, by =, dry =, tag =}; with a tag it is counted */
static int f_notify(lua_State *L) {
    TestNode *node = check_node(L);
    unsigned worker = check_worker(L, 2);
    size_t count;
    const Str *names = check_field_list(L, 3, "names", &count);
    bool is_by_users = str_equal(opt_field_str(L, 3, "by"), STR("users"));
    Str tag = opt_field_str(L, 3, "tag");
    NoticeSpec spec = {.kind = is_by_users ? NOTICE_USERS : NOTICE_CHANNELS,
                       .targets = names,
                       .target_count = (uint32_t)count,
                       .message_count = 1};
    Notice *notice = notice_new(&spec);
    message_init(&notice->messages[0], encoders,
                 &(MessageSpec){.event = STR("event"), .attributes = opt_field_str(L, 3, "text")});
    if (tag.data == NULL) {
        bus_notify(&node->bus, notice, NULL);
    } else {
        bus_notify_counted(&node->bus, worker, notice, opt_field_bool(L, 3, "dry"), on_tally,
                           asker_new(node, tag));
    }
    return 0;
}

/* worker, {users =, code =, reason =, dry =, tag =} */
static int f_disconnect(lua_State *L) {
    TestNode *node = check_node(L);
    unsigned worker = check_worker(L, 2);
    Names *users = check_field_names(L, 3, "users");
    Disconnect order = {.users = users,
                        .code = (uint16_t)opt_field_number(L, 3, "code", 4502),
                        .reason = opt_field_str(L, 3, "reason"),
                        .is_dry = opt_field_bool(L, 3, "dry")};
    bus_disconnect(&node->bus, worker, &order, on_count, asker_new(node, opt_field_str(L, 3, "tag")));
    names_free(users);
    return 0;
}

static void set_targets(lua_State *L, const Notice *notice) {
    lua_newtable(L);
    for (uint32_t i = 0; i < notice->target_count; i++) {
        push_str(L, notice->targets[i].name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "names");
}

/* As if on every worker two users had one session each in every channel: "everywhere", who is on all
 * workers, and one of the worker's own. */
static void count_fake_users(Tally *tally, unsigned worker) {
    for (uint32_t i = 0; i < tally->row_count; i++) {
        tally_count(tally, i, 1, 1);
        tally_count(tally, i, 1000 + worker, 1);
    }
}

/* Tells the spec of an op that came to the worker, and carries it out. Takes the op. */
static void run_op(TestNode *node, unsigned worker, Op *op) {
    lua_State *L = node->L;
    if (op->is_answer) {
        op->on_answer(op, op->waiter);
        op_free(op);
        return;
    }
    if (op->type == OP_PRESENCE) { /* its stories are told by spec/server/presence_hooks_spec.lua */
        op_free(op);
        return;
    }
    lua_newtable(L);
    set_text(L, "op", name_of(op->type));
    set_field_names(L, "users", op->users);
    set_field_names(L, "channels", op->channels);
    if (op->type == OP_CHANGE) set_bool(L, "add", op->is_add);
    if (op->type == OP_NOTIFY) {
        set_targets(L, op->notice);
        set_field_str(L, "text", bytes_str(message_frame(&op->notice->messages[0], MESSAGE_WS)));
        if (op->tally != NULL) count_fake_users(op->tally, worker);
    }
    if (op->type == OP_NOTIFY || op->type == OP_DISCONNECT) set_bool(L, "dry", op->is_dry);
    if (op->type == OP_DISCONNECT) {
        set_field_integer(L, "code", op->code);
        set_field_str(L, "reason", op_name(op));
        op->sessions_count = op->users->count;
    }
    add_event(L);
    bus_answer(&node->bus, op);
}

/* Gives what lies in the worker's inbox; with `waits` at least one event. */
static int pump(lua_State *L, bool waits) {
    TestNode *node = check_node(L);
    unsigned worker = check_worker(L, 2);
    lua_newtable(L);
    node->L = L;
    do {
        if (waits && !wait_for_mail(&node->workers[worker])) return luaL_error(L, "nothing came");
        Op *op = inbox_take(&node->workers[worker].inbox);
        while (op != NULL) {
            Op *next = op->next;
            run_op(node, worker, op);
            op = next;
        }
    } while (waits && lua_rawlen(L, -1) == 0);
    return 1;
}

static int f_pump(lua_State *L) {
    return pump(L, true);
}

static int f_rest(lua_State *L) {
    return pump(L, false);
}

static int f_fail(lua_State *L) {
    atomic_store(&check_node(L)->store.fails, lua_toboolean(L, 2));
    return 0;
}

/* Ends the roster. What lies in the inboxes stays there. */
static int f_stop(lua_State *L) {
    TestNode *node = check_node(L);
    if (node->roster != NULL) roster_stop(node->roster);
    node->roster = NULL;
    return 0;
}

/* Empties all inboxes, so that answers free who waits for them. */
static void empty_inboxes(lua_State *L, unsigned worker_count) {
    for (unsigned i = 1; i <= worker_count; i++) {
        lua_settop(L, 1);
        lua_pushinteger(L, i);
        f_rest(L);
    }
}

static int f_gc(lua_State *L) {
    TestNode *node = check_node(L);
    f_stop(L);
    empty_inboxes(L, node->bus.worker_count);
    empty_inboxes(L, node->bus.worker_count); /* what the first one answered */
    for (unsigned i = 0; i < node->bus.worker_count; i++) {
        inbox_deinit(&node->workers[i].inbox);
        pthread_mutex_destroy(&node->workers[i].lock);
        pthread_cond_destroy(&node->workers[i].mail);
    }
    bus_deinit(&node->bus);
    return 0;
}

static const luaL_Reg methods[] = {
    {"ask", f_ask},   {"notify", f_notify}, {"disconnect", f_disconnect},
    {"pump", f_pump}, {"rest", f_rest},     {"fail", f_fail},
    {"stop", f_stop}, {"__gc", f_gc},       {NULL, NULL},
};

static const luaL_Reg functions[] = {{"new", f_new}, {NULL, NULL}};

int test_open_bus(lua_State *L) {
    push_class(L, NODE, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
