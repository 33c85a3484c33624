/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.hub: registry, fanout, tally and page. The sessions are fake ones that keep the frames they
 * were given; a session is known by its number.
 *     local h = hub.new()
 *     local session = h:open{user = "u", channels = {"a"}}
 *     h:notify{by = "channels", names = {"a"}, frames = {"text"}, report = true}
 *     h:take(session)  -> { "text" }
 *     h:relieve(500)   -> the sessions that were ended: 500 thousandths of what is `overdue` are to go
 */
#include "api/lua_args.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "hub/fanout.h"
#include "hub/page.h"
#include "hub/relief.h"
#include "test/test.h"
#include "test/test_names.h"

#define HUB "core.test.hub"

enum { SESSIONS_MAX = 256, QUEUE_MAX = 64 };

typedef struct Hub Hub;

typedef struct FakeSession {
    Subscriber subscriber;
    Hub *hub;
    bool refuses;  /* as a slow reader does */
    bool is_other; /* its transport has a frame of its own */
    uint64_t overdue;
    bool is_cut;
    size_t queued;
    Bytes *queue[QUEUE_MAX]; /* one reference each, given by fan-out */
} FakeSession;

struct Hub {
    Registry registry;
    FakeSession *sessions[SESSIONS_MAX]; /* by number; NULL: closed */
    size_t count;
    Bytes *other_frame; /* of the notify that runs */
};

static Hub *check_hub(lua_State *L) {
    return luaL_checkudata(L, 1, HUB);
}

static FakeSession *check_session(lua_State *L, int arg) {
    const Hub *hub = check_hub(L);
    size_t number = (size_t)luaL_checkinteger(L, arg);
    luaL_argcheck(L, number >= 1 && number <= hub->count && hub->sessions[number - 1], arg, "closed");
    return hub->sessions[number - 1];
}

static int f_new(lua_State *L) {
    Hub *hub = lua_newuserdatauv(L, sizeof *hub, 0);
    *hub = (Hub){.count = 0};
    registry_init(&hub->registry, 0);
    luaL_setmetatable(L, HUB);
    return 1;
}

static Bytes *deliver(Subscriber *subscriber, const Message *message) {
    FakeSession *session = (FakeSession *)(void *)subscriber;
    if (session->refuses || session->queued == QUEUE_MAX) return NULL;
    Bytes *frame = session->is_other ? session->hub->other_frame : message_frame(message, MESSAGE_WS);
    session->queue[session->queued++] = frame;
    return frame;
}

static uint64_t overdue(const Subscriber *subscriber) {
    return ((const FakeSession *)(const void *)subscriber)->overdue;
}

static void cut(Subscriber *subscriber) {
    ((FakeSession *)(void *)subscriber)->is_cut = true;
}

static const SubscriberClass fake_class = {.deliver = deliver, .overdue = overdue, .cut = cut};

/* {user =, channels =, refuses =, other =, overdue =} -> number */
static int f_open(lua_State *L) {
    Hub *hub = check_hub(L);
    luaL_argcheck(L, hub->count < SESSIONS_MAX, 1, "too many sessions");
    Names *channels = check_field_names(L, 2, "channels");
    FakeSession *session = mem_zalloc(sizeof *session);
    session->subscriber.class = &fake_class;
    session->hub = hub;
    session->refuses = opt_field_bool(L, 2, "refuses");
    session->is_other = opt_field_bool(L, 2, "other");
    lua_getfield(L, 2, "overdue");
    session->overdue = (uint64_t)luaL_optinteger(L, -1, 0);
    registry_add(&hub->registry, &session->subscriber, opt_field_str(L, 2, "user"), channels);
    names_free(channels);
    hub->sessions[hub->count++] = session;
    lua_pushinteger(L, (lua_Integer)hub->count);
    return 1;
}

/* thousandths -> the numbers of the sessions that were ended */
static int f_relieve(lua_State *L) {
    const Hub *hub = check_hub(L);
    relief_end_slowest(&hub->registry, (uint32_t)luaL_checkinteger(L, 2));
    lua_newtable(L);
    for (size_t i = 0; i < hub->count; i++) {
        if (hub->sessions[i] == NULL || !hub->sessions[i]->is_cut) continue;
        lua_pushinteger(L, (lua_Integer)i + 1);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    return 1;
}

static void free_session(Hub *hub, FakeSession **session) {
    registry_remove(&hub->registry, &(*session)->subscriber);
    for (size_t i = 0; i < (*session)->queued; i++) bytes_release((*session)->queue[i]);
    mem_free(*session);
    *session = NULL;
}

static int f_close(lua_State *L) {
    check_session(L, 2);
    Hub *hub = check_hub(L);
    free_session(hub, &hub->sessions[lua_tointeger(L, 2) - 1]);
    return 0;
}

static int f_gc(lua_State *L) {
    Hub *hub = check_hub(L);
    for (size_t i = 0; i < hub->count; i++) {
        if (hub->sessions[i] != NULL) free_session(hub, &hub->sessions[i]);
    }
    registry_deinit(&hub->registry);
    return 0;
}

/* add, users, channels */
static int f_change(lua_State *L) {
    Hub *hub = check_hub(L);
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, 3);
    lua_setfield(L, -2, "users");
    lua_pushvalue(L, 4);
    lua_setfield(L, -2, "channels");
    Names *users = check_field_names(L, -1, "users");
    Names *channels = check_field_names(L, -1, "channels");
    registry_change(&hub->registry, lua_toboolean(L, 2), users, channels);
    names_free(users);
    names_free(channels);
    return 0;
}

static Bytes *encode(const MessageParts *parts, MessageParts *placed) {
    Bytes *frame = bytes_copy(parts->attributes);
    *placed = (MessageParts){.attributes = bytes_str(frame)};
    return frame;
}

static const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT] = {[MESSAGE_WS] = encode};

/* spec at 2: names, frames (one for all, or one per name), by, efficient, except */
static Notice *check_notice(lua_State *L) {
    size_t names, except, frames;
    const Str *name_list = check_field_list(L, 2, "names", &names);
    const Str *except_list = check_field_list(L, 2, "except", &except);
    const Str *frame_list = check_field_list(L, 2, "frames", &frames);
    luaL_argcheck(L, frames == 1 || frames == names, 2, "frames: one, or one per name");
    bool is_by_users = str_equal(opt_field_str(L, 2, "by"), STR("users"));
    NoticeSpec spec = {.kind = is_by_users ? NOTICE_USERS : NOTICE_CHANNELS,
                       .is_efficient = opt_field_bool(L, 2, "efficient"),
                       .targets = name_list,
                       .target_count = (uint32_t)names,
                       .except = except_list,
                       .except_count = (uint32_t)except,
                       .message_count = (uint32_t)frames};
    Notice *notice = notice_new(&spec);
    for (uint32_t i = 0; i < frames; i++) {
        message_init(&notice->messages[i], encoders,
                     &(MessageSpec){.event = STR("event"), .attributes = frame_list[i]});
    }
    for (uint32_t i = 0; frames > 1 && i < names; i++) notice->targets[i].message = i;
    return notice;
}

/* Closes the tally and sets users, sessions and per_name of the table on top. */
static void set_tally(lua_State *L, Tally *tally) {
    uint64_t users;
    uint64_t sessions;
    tally_close(tally, &users, &sessions);
    set_field_integer(L, "users", (lua_Integer)users);
    set_field_integer(L, "sessions", (lua_Integer)sessions);
    lua_newtable(L);
    for (uint32_t i = 0; i < tally->row_count; i++) {
        lua_newtable(L);
        set_field_integer(L, "users", (lua_Integer)tally->rows[i].user_count);
        set_field_integer(L, "sessions", (lua_Integer)tally->rows[i].sessions);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "per_name");
}

/* The references that the frames have while the notice still holds its own. */
static void set_refs(lua_State *L, const Hub *hub, const Notice *notice) {
    lua_newtable(L);
    for (uint32_t i = 0; i < notice->message_count; i++) {
        lua_pushinteger(L, message_frame(&notice->messages[i], MESSAGE_WS)->refs);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "refs");
    set_field_integer(L, "other_refs", hub->other_frame->refs);
}

/* spec -> {refs =, other_refs =}, with `report` also users, sessions and per_name */
static int f_notify(lua_State *L) {
    Hub *hub = check_hub(L);
    Notice *notice = check_notice(L);
    Tally *tally = opt_field_bool(L, 2, "report") ? tally_new(notice->target_count) : NULL;
    hub->other_frame = bytes_copy(STR("other"));
    fanout_deliver(&hub->registry, notice, opt_field_bool(L, 2, "dry"), tally);
    lua_newtable(L);
    set_refs(L, hub, notice);
    if (tally != NULL) set_tally(L, tally);
    tally_free(tally);
    bytes_release(hub->other_frame);
    notice_release(notice);
    return 1;
}

/* What the session was given, and let go of here; and the references that the first frame had. */
static int f_take(lua_State *L) {
    FakeSession *session = check_session(L, 2);
    lua_Integer refs = session->queued ? session->queue[0]->refs : 0;
    lua_newtable(L);
    for (size_t i = 0; i < session->queued; i++) {
        push_str(L, bytes_str(session->queue[i]));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
        bytes_release(session->queue[i]);
    }
    session->queued = 0;
    lua_pushinteger(L, refs);
    return 2;
}

static int f_refuse(lua_State *L) {
    check_session(L, 2)->refuses = lua_toboolean(L, 3);
    return 0;
}

/* The numbers of the user's sessions. */
static int f_sessions(lua_State *L) {
    const Hub *hub = check_hub(L);
    Subscriber *at = registry_find_user(&hub->registry, check_str(L, 2));
    lua_newtable(L);
    for (; at != NULL; at = at->sibling) {
        size_t i = 0;
        while ((Subscriber *)hub->sessions[i] != at) i++;
        lua_pushinteger(L, (lua_Integer)i + 1);
        lua_rawseti(L, -2, luaL_len(L, -2) + 1);
    }
    return 1;
}

static int f_edges(lua_State *L) {
    push_edges(L, &check_hub(L)->registry.graph);
    return 1;
}

/* {sessions =, users =, channels =}; live: the gauge of live channels, of all hubs together */
static int f_size(lua_State *L) {
    const Registry *registry = &check_hub(L)->registry;
    lua_newtable(L);
    set_field_integer(L, "sessions", registry->session_count);
    set_field_integer(L, "users", (lua_Integer)registry->graph.users.count);
    set_field_integer(L, "channels", (lua_Integer)registry->graph.channels.count);
    set_field_integer(L, "live", metrics_sum(METRIC_channels_live));
    return 1;
}

/* {{name, ...}, after =, size =} -> names, has_more */
static int f_page(lua_State *L) {
    size_t count;
    lua_getfield(L, 1, "size");
    Page page;
    page_init(&page, opt_field_str(L, 1, "after"), (uint32_t)luaL_checkinteger(L, -1));
    const Str *names = check_field_list(L, 1, "names", &count);
    for (size_t i = 0; i < count; i++) page_add(&page, names[i]);
    bool has_more = page.has_more;
    Names *found = page_close(&page);
    push_names(L, found);
    names_free(found);
    lua_pushboolean(L, has_more);
    return 2;
}

/* rows, then for each worker a list of {row, user, sessions} -> as the report of notify */
static int f_tally(lua_State *L) {
    uint32_t rows = (uint32_t)luaL_checkinteger(L, 1);
    int workers = lua_gettop(L) - 1;
    Tally *all = tally_new(rows);
    for (int worker = 2; worker <= workers + 1; worker++) {
        Tally *tally = tally_new(rows);
        for (lua_Integer i = 1; lua_rawgeti(L, worker, i) == LUA_TTABLE; i++) {
            for (int k = 1; k <= 3; k++) lua_rawgeti(L, -k, k);
            Str user = check_str(L, -2);
            tally_count(tally, (uint32_t)lua_tointeger(L, -3) - 1, map_hash(user),
                        (uint32_t)lua_tointeger(L, -1));
            lua_pop(L, 4);
        }
        lua_pop(L, 1);
        tally_merge(all, tally);
        tally_free(tally);
    }
    lua_newtable(L);
    set_tally(L, all);
    tally_free(all);
    return 1;
}

static const luaL_Reg methods[] = {
    {"open", f_open},         {"close", f_close},     {"change", f_change}, {"notify", f_notify},
    {"take", f_take},         {"refuse", f_refuse},   {"edges", f_edges},   {"size", f_size},
    {"sessions", f_sessions}, {"relieve", f_relieve}, {"__gc", f_gc},       {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"new", f_new}, {"page", f_page}, {"tally", f_tally}, {NULL, NULL}};

int test_open_hub(lua_State *L) {
    push_class(L, HUB, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
