/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.ledger: a Ledger with a graph and a store that writes down what it is told, and that fails
 * when it shall.
 *     local book = ledger.new{per_user_max = 3, all_max = 100}
 *     book:fail("commit", 1)     the next commit fails
 *     book:round{ {verb = "subscribe", users = {"u"}, channels = {"c"}} }
 *       -> nil or the failure's name, { {users = 1, changed = 1, crowd = {"u"}} }
 *     book:log()  -> "begin\nadd u c\ncommit\n"; what was logged is forgotten
 */
#include "api/lua_args.h"
#include "base/buf.h"
#include "base/mem.h"
#include "hub/ledger.h"
#include "test/test.h"
#include "test/test_names.h"

#define BOOK "core.test.ledger"

typedef struct Book {
    Store store; /* first: the store's functions get its address */
    Graph graph;
    Journal journal; /* of a history that is not there */
    Ledger ledger;
    Buf log;
    char fails_at[16];
    lua_Integer fails_in; /* calls of fails_at until one fails; 0: none does */
} Book;

static int note(Store *store, const char *verb, Str user, Str channel) {
    Book *book = (Book *)(void *)store;
    bool is_fault = strcmp(verb, book->fails_at) == 0 && book->fails_in > 0 && --book->fails_in == 0;
    buf_addf(&book->log, "%s%s", is_fault ? "failed " : "", verb);
    if (user.len > 0) buf_addf(&book->log, " %.*s %.*s", STR_ARG(user), STR_ARG(channel));
    buf_add_char(&book->log, '\n');
    return is_fault ? ERR_IO : 0;
}

static int store_begins(Store *store) {
    return note(store, "begin", STR_NONE, STR_NONE);
}

static int store_adds(Store *store, Str user, Str channel, Str by, uint64_t mark) {
    (void)by, (void)mark;
    return note(store, "add", user, channel);
}

static int store_removes(Store *store, Str user, Str channel) {
    return note(store, "remove", user, channel);
}

static int store_commits(Store *store) {
    return note(store, "commit", STR_NONE, STR_NONE);
}

static void store_rolls_back(Store *store) {
    note(store, "rollback", STR_NONE, STR_NONE);
}

static const StoreClass fake_class = {
    .begin = store_begins,
    .add = store_adds,
    .remove = store_removes,
    .commit = store_commits,
    .rollback = store_rolls_back,
};

static Book *check_book(lua_State *L) {
    return luaL_checkudata(L, 1, BOOK);
}

static int f_new(lua_State *L) {
    lua_getfield(L, 1, "per_user_max");
    lua_getfield(L, 1, "all_max");
    uint32_t per_user_max = (uint32_t)luaL_checkinteger(L, -2);
    uint64_t all_max = (uint64_t)luaL_optinteger(L, -1, LUA_MAXINTEGER);
    Book *book = lua_newuserdatauv(L, sizeof *book, 0);
    *book = (Book){.store = {&fake_class}};
    graph_init(&book->graph);
    journal_init(&book->journal, &book->store, NULL);
    ledger_init(&book->ledger, &book->graph, &book->journal, per_user_max);
    book->ledger.subscriptions_max = all_max;
    luaL_setmetatable(L, BOOK);
    return 1;
}

static int f_gc(lua_State *L) {
    Book *book = check_book(L);
    ledger_deinit(&book->ledger);
    journal_deinit(&book->journal);
    graph_deinit(&book->graph);
    buf_deinit(&book->log);
    return 0;
}

static int f_fail(lua_State *L) {
    Book *book = check_book(L);
    snprintf(book->fails_at, sizeof book->fails_at, "%s", luaL_checkstring(L, 2));
    book->fails_in = luaL_checkinteger(L, 3);
    return 0;
}

static int f_log(lua_State *L) {
    Book *book = check_book(L);
    push_str(L, buf_str(&book->log));
    buf_clear(&book->log);
    return 1;
}

/* The change at `index`. */
static Op *check_change(lua_State *L, int index) {
    bool is_add = str_equal(opt_field_str(L, index, "verb"), STR("subscribe"));
    Op *op = op_new(is_add ? OP_SUBSCRIBE : OP_UNSUBSCRIBE);
    op->users = check_field_names(L, index, "users");
    op->users_of = check_field_names(L, index, "users_of");
    op->channels = check_field_names(L, index, "channels");
    op->is_dry = opt_field_bool(L, index, "dry");
    return op;
}

static void push_result(lua_State *L, const Op *op, const Crowd *crowd) {
    lua_newtable(L);
    if (op->error != 0) {
        lua_pushstring(L, err_name(op->error));
        lua_setfield(L, -2, "error");
    }
    set_field_integer(L, "users", (lua_Integer)op->users_count);
    set_field_integer(L, "changed", (lua_Integer)op->changed_count);
    lua_newtable(L);
    for (size_t i = 0; i < crowd->count; i++) {
        push_str(L, node_name(crowd->users[i]));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "crowd");
}

/* A round as the roster makes it. */
static int f_round(lua_State *L) {
    Book *book = check_book(L);
    size_t count = lua_rawlen(L, 2);
    Crowd *crowds = lua_newuserdatauv(L, (count + 1) * sizeof *crowds, 0);
    Op **ops = lua_newuserdatauv(L, (count + 1) * sizeof(Op *), 0);
    memset(crowds, 0, count * sizeof *crowds);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        ops[i] = check_change(L, -1);
        lua_pop(L, 1);
    }
    int err = ledger_begin(&book->ledger);
    for (size_t i = 0; err == 0 && i < count; i++)
        err = ledger_apply(&book->ledger, ops[i], &crowds[i]);
    err = ledger_commit(&book->ledger, err);
    lua_pushstring(L, err ? err_name(err) : NULL);
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        push_result(L, ops[i], &crowds[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
        crowd_deinit(&crowds[i]);
        op_free(ops[i]);
    }
    ledger_end(&book->ledger);
    return 2;
}

/* Whether the user has an owner, as one who is online has. */
static int f_own(lua_State *L) {
    Book *book = check_book(L);
    Node *user = graph_add_user(&book->graph, check_str(L, 2));
    user->owner = lua_toboolean(L, 3) ? book : NULL;
    graph_prune(&book->graph, user);
    return 0;
}

/* Adds to the list on top the names of nodes that nothing keeps alive. */
static void add_bare(lua_State *L, const Map *nodes) {
    size_t at = 0;
    for (const Node *node = map_next(nodes, &at); node != NULL; node = map_next(nodes, &at)) {
        if (node->edge_count > 0 || node->owner != NULL) continue;
        push_str(L, node_name(node));
        lua_rawseti(L, -2, luaL_len(L, -2) + 1);
    }
}

static int f_bare(lua_State *L) {
    const Graph *graph = &check_book(L)->graph;
    lua_newtable(L);
    add_bare(L, &graph->users);
    add_bare(L, &graph->channels);
    return 1;
}

static int f_edges(lua_State *L) {
    push_edges(L, &check_book(L)->graph);
    return 1;
}

static const luaL_Reg methods[] = {
    {"round", f_round}, {"fail", f_fail},   {"log", f_log}, {"own", f_own},
    {"bare", f_bare},   {"edges", f_edges}, {"__gc", f_gc}, {NULL, NULL},
};

static const luaL_Reg functions[] = {{"new", f_new}, {NULL, NULL}};

int test_open_ledger(lua_State *L) {
    push_class(L, BOOK, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
