/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_event.h"
#include "api/ask.h"
#include "api/emit.h"
#include "api/event_parts.h"
#include "api/lua_args.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "net/session_ws.h"
#include "net/sse.h"
#include "socketio/sio.h"

static const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT] = {
    [MESSAGE_WS] = session_ws_encode, [MESSAGE_SSE] = sse_encode, [MESSAGE_SIO] = sio_encode_message};

const MessageEncoder *api_encoders(void) {
    return encoders;
}

enum { PAGE_SIZE = 10000 };

static void init_message(Notice *notice, uint32_t index, const Event *event, Str ack) {
    MessageSpec spec = {.event = event->name,
                        .attributes = event->attributes,
                        .ack = ack,
                        .key = notice_key(notice, index),
                        .ends_ms = notice->ends_ms,
                        .has_id = notice->is_kept};
    message_init(&notice->messages[index], encoders, &spec);
}

/* What is asked for more seldom. Leaves the table on the stack, from which the spec borrows; gives the ack.
 * stack: spec of the notice */
static Str check_terms(lua_State *L, NoticeSpec *spec) {
    if (lua_getfield(L, 1, "terms") != LUA_TTABLE) return STR_NONE;
    int terms = lua_gettop(L);
    size_t count;
    spec->except_sessions = check_field_list(L, terms, "except_sessions", &count);
    spec->except_session_count = (uint32_t)count;
    spec->key = opt_field_str(L, terms, "key");
    lua_getfield(L, terms, "ttl");
    lua_Number ttl = luaL_optnumber(L, -1, 0);
    lua_pop(L, 1);
    if (ttl > 0) spec->ends_ms = clock_monotonic_ms() + (uint64_t)(ttl * 1000);
    return opt_field_str(L, terms, "ack");
}

/* One event for all targets, or one per target; all are checked before anything is made. stack: spec */
static uint32_t check_events(lua_State *L, size_t target_count) {
    if (lua_getfield(L, 1, "events") == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getfield(L, 1, "event");
        if (to_event(L, -1) == NULL) luaL_error(L, "field 'event' must be an event");
        return 1;
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    if (lua_rawlen(L, -1) != target_count) luaL_error(L, "field 'events' must have one per name");
    for (size_t i = 1; i <= target_count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        if (to_event(L, -1) == NULL) luaL_error(L, "field 'events' must be a list of events");
        lua_pop(L, 1);
    }
    return (uint32_t)target_count;
}

/* The name of the event, or of them all; borrowed from it. stack: ..., the event or the list of events */
static Str fill_messages(lua_State *L, Notice *notice, Str ack) {
    const Event *event = to_event(L, -1);
    if (event != NULL) {
        init_message(notice, 0, event, ack);
        return event->name;
    }
    for (uint32_t i = 0; i < notice->message_count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        event = to_event(L, -1);
        init_message(notice, i, event, ack);
        notice->targets[i].message = i;
        lua_pop(L, 1);
    }
    return event->name;
}

static NoticeKind check_kind(lua_State *L, Str by) {
    if (str_equal(by, STR("users"))) return NOTICE_USERS;
    if (!str_equal(by, STR("channels"))) luaL_error(L, "'by' must be channels or users");
    return NOTICE_CHANNELS;
}

/* Sets name and ack of the labels, which borrow from the spec. stack: spec */
static Notice *check_notice(lua_State *L, EmitLabels *labels) {
    NoticeKind kind = check_kind(L, opt_field_str(L, 1, "by"));
    size_t target_count;
    size_t except_count;
    const Str *targets = check_field_list(L, 1, "names", &target_count);
    const Str *except = check_field_list(L, 1, "except", &except_count);
    if (target_count == 0) luaL_error(L, "field 'names' must not be empty");
    NoticeSpec spec = {
        .kind = kind,
        .is_efficient = opt_field_bool(L, 1, "efficient"),
        .targets = targets,
        .target_count = (uint32_t)target_count,
        .except = except,
        .except_count = (uint32_t)except_count,
    };
    labels->ack = check_terms(L, &spec);
    spec.message_count = check_events(L, target_count);
    Notice *notice = notice_new(&spec);
    notice_keep(notice, api_rules(api_of(L)));
    labels->name = fill_messages(L, notice, labels->ack);
    return notice;
}

static Api *check_emitting(lua_State *L) {
    Api *api = check_running(L);
    if (!api->is_running)
        luaL_error(L, "nothing can be emitted while the server is set up or taken apart");
    return api;
}

/* stack: spec */
static int f_notify(lua_State *L) {
    const Api *api = check_emitting(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    bool is_dry = opt_field_bool(L, 1, "dry");
    bool is_counted = is_dry || opt_field_bool(L, 1, "report");
    if (is_counted) task_check(L); /* raises here, before there is a notice to lose */
    if (!is_dry && emit_is_full(api)) {
        return push_failure(L, ERR_LIMIT, "too much waits for slow sessions");
    }
    EmitLabels labels = {.origin = opt_field_str(L, 1, "origin"), .id = opt_field_str(L, 1, "id")};
    Notice *notice = check_notice(L, &labels);
    return is_counted ? emit_counted(L, notice, is_dry, &labels) : emit(L, notice, &labels);
}

/* The names at `arg`, of which most lists have one; borrows from the list. `one` has room for that. */
static const Str *check_names(lua_State *L, int arg, Str *one, uint32_t *count) {
    luaL_checktype(L, arg, LUA_TTABLE);
    size_t len = lua_rawlen(L, arg);
    luaL_argcheck(L, len > 0, arg, "names must not be empty");
    *count = (uint32_t)len;
    if (len > 1) return check_list(L, arg, "names", &len);
    lua_rawgeti(L, arg, 1);
    *one = check_str(L, -1);
    lua_pop(L, 1);
    return one;
}

/* stack: by, names, efficient, event, origin */
static int f_emit(lua_State *L) {
    const Api *api = check_emitting(L);
    const Event *event = check_event(L, 4);
    EmitLabels labels = {.name = event->name, .origin = check_str(L, 5)};
    NoticeSpec spec = {.kind = check_kind(L, check_str(L, 1)),
                       .is_efficient = lua_toboolean(L, 3),
                       .message_count = 1};
    Str one;
    spec.targets = check_names(L, 2, &one, &spec.target_count);
    if (event_parts_is_reserved(event->name)) return push_failure(L, ERR_INVALID, "a reserved name");
    if (emit_is_full(api)) return push_failure(L, ERR_LIMIT, "too much waits for slow sessions");
    Notice *notice = notice_new(&spec);
    notice_keep(notice, api_rules(api));
    init_message(notice, 0, event, STR_NONE);
    return emit(L, notice, &labels);
}

static void push_names(lua_State *L, const Names *names) {
    lua_createtable(L, (int)names->count, 0);
    for (uint32_t i = 0; i < names->count; i++) {
        push_str(L, names->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* What the roster answered, as Lua values. */
static int push_answer(lua_State *L, void *data) {
    const Op *op = data;
    if (op->error != 0) return push_failure(L, op->error, NULL);
    switch (op->type) {
    case OP_SUBSCRIBE:
    case OP_UNSUBSCRIBE:
        lua_createtable(L, 0, 2);
        set_field_integer(L, "users", (lua_Integer)op->users_count);
        set_field_integer(L, "changed", (lua_Integer)op->changed_count);
        return 1;
    case OP_SUBSCRIPTIONS: push_names(L, op->channels); return 1;
    case OP_ORIGINS:
        push_names(L, op->channels);
        push_names(L, op->users);
        lua_pushboolean(L, op->has_more);
        return 3;
    case OP_PARTICIPANTS:
    case OP_USERS:
        push_names(L, op->users);
        lua_pushboolean(L, op->has_more);
        return 2;
    case OP_COUNT:
        if (op->name != NULL) {
            lua_pushinteger(L, (lua_Integer)op->sessions_count);
        } else {
            push_count(L, op->users_count, op->sessions_count);
        }
        return 1;
    default: ensure(!"an answer nobody asks for here");
    }
    return 0;
}

static int f_change(lua_State *L) {
    static const char *const known[] = {"verb", "users", "users_of", "channels", "by", "dry", NULL};
    check_running(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    check_keys(L, 1, known);
    Str verb = opt_field_str(L, 1, "verb");
    bool is_add = str_equal(verb, STR("subscribe"));
    if (!is_add && !str_equal(verb, STR("unsubscribe"))) {
        return luaL_error(L, "field 'verb' must be subscribe or unsubscribe");
    }
    size_t users;
    size_t users_of;
    size_t channels;
    const Str *user_names = check_field_list(L, 1, "users", &users);
    const Str *user_of_names = check_field_list(L, 1, "users_of", &users_of);
    const Str *channel_names = check_field_list(L, 1, "channels", &channels);
    bool is_dry = opt_field_bool(L, 1, "dry");
    Str by = opt_field_str(L, 1, "by");
    task_check(L);
    Op *op = op_new(is_add ? OP_SUBSCRIBE : OP_UNSUBSCRIBE);
    op->users = names_new(user_names, users);
    op->users_of = names_new(user_of_names, users_of);
    op->channels = names_new(channel_names, channels);
    op->is_dry = is_dry;
    if (by.len > 0) op->by = bytes_copy(by);
    return ask_roster(L, op, push_answer);
}

static int ask_about(lua_State *L, OpType type, Str name) {
    check_running(L);
    task_check(L);
    Op *op = op_new(type);
    if (name.data != NULL) op_set_name(op, name);
    return ask_roster(L, op, push_answer);
}

static int f_subscriptions(lua_State *L) {
    return ask_about(L, OP_SUBSCRIPTIONS, check_str(L, 1));
}

static int f_online(lua_State *L) {
    return ask_about(L, OP_COUNT, check_str(L, 1));
}

static int f_count(lua_State *L) {
    return ask_about(L, OP_COUNT, STR_NONE);
}

/* stack: ..., opts at `index` (a table or nil) */
static int ask_page(lua_State *L, OpType type, Str name, int index) {
    static const char *const known[] = {"offline", "absent", "after", "size", NULL};
    check_running(L);
    Str after = STR_NONE;
    lua_Integer size = PAGE_SIZE;
    bool is_offline = false;
    bool is_absent = false;
    if (!lua_isnoneornil(L, index)) {
        luaL_checktype(L, index, LUA_TTABLE);
        check_keys(L, index, known);
        after = opt_field_str(L, index, "after");
        is_offline = opt_field_bool(L, index, "offline");
        is_absent = opt_field_bool(L, index, "absent");
        if (lua_getfield(L, index, "size") != LUA_TNIL) size = luaL_checkinteger(L, -1);
        luaL_argcheck(L, size > 0 && size <= UINT32_MAX, index, "size must be positive");
    }
    task_check(L);
    Op *op = op_new(type);
    op_set_name(op, name);
    op_set_after(op, after);
    op->size = (uint32_t)size;
    op->is_offline = is_offline;
    op->is_absent = is_absent;
    return ask_roster(L, op, push_answer);
}

static int f_participants(lua_State *L) {
    return ask_page(L, OP_PARTICIPANTS, check_str(L, 1), 2);
}

static int f_origins(lua_State *L) {
    return ask_page(L, OP_ORIGINS, check_str(L, 1), 2);
}

static int f_users(lua_State *L) {
    return ask_page(L, OP_USERS, STR_NONE, 1);
}

static int push_sessions(lua_State *L, void *data) {
    lua_pushinteger(L, *(const lua_Integer *)data);
    return 1;
}

static void on_count(void *waiter, uint64_t sessions) {
    lua_Integer count = (lua_Integer)sessions;
    ask_finish(waiter, &count);
}

/* stack: users, code, reason, dry */
static int f_disconnect(lua_State *L) {
    Api *api = check_running(L);
    lua_Integer code = luaL_checkinteger(L, 2);
    luaL_argcheck(L, code >= 1000 && code <= 4999, 2, "a WebSocket close code");
    Disconnect order = {
        .code = (uint16_t)code, .reason = check_str(L, 3), .is_dry = lua_toboolean(L, 4)};
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "users");
    size_t count;
    const Str *users = check_field_list(L, -1, "users", &count);
    task_check(L);
    Names *names = names_new(users, count);
    order.users = names;
    bus_disconnect(api->bus, (unsigned)api->worker, &order, on_count, ask_new(L, push_sessions));
    names_free(names);
    return task_yield(L);
}

static int f_park(lua_State *L) {
    const Api *api = api_of(L);
    const Parking parking = {check_str(L, 1), check_str(L, 2), api->generation};
    bus_park(api->bus, (unsigned)api->worker, &parking);
    return 0;
}

static int f_hear(lua_State *L) {
    static const char *const hooks[] = {[API_HOOK_DISCONNECT] = "disconnect",
                                        [API_HOOK_DROPPED] = "dropped",
                                        [API_HOOK_OFFLINE] = "offline",
                                        [API_HOOK_ONLINE] = "online",
                                        [API_HOOK_ONLINE + 1] = NULL};
    api_of(L)->hears |= 1U << luaL_checkoption(L, 1, NULL, hooks);
    return 0;
}

static const luaL_Reg lib[] = {
    {"notify", f_notify},
    {"emit", f_emit},
    {"hear", f_hear},
    {"change", f_change},
    {"subscriptions", f_subscriptions},
    {"origins", f_origins},
    {"participants", f_participants},
    {"users", f_users},
    {"online", f_online},
    {"count", f_count},
    {"disconnect", f_disconnect},
    {"park", f_park},
    {NULL, NULL},
};

int api_open_bus(lua_State *L) {
    luaL_newlib(L, lib);
    return 1;
}
