/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.history: what channels keep, by hand. Times are milliseconds.
 *     local one = history.new(bytes_max)
 *     one:add({names =, text =, efficient =, each =, except =, key =, ends =}, {size =, bytes =, ttl =}, now)
 *                                      gives the last sequence; `each`: a message for each name
 *     one:note(user, channel, now), one:sweep(now), one:bytes()
 *     one:id(sequence)
 *     one:missed({user =, channels =, after = an id, upto =, now =, events_max =, bytes_max =, patterns =})
 *                                      -> "WHOLE", { "text by channel" } or "LOST" ...
 *     one:carry(url, record, len)      what a start finds of it in the store of that URL, and once more what the
 *                                      next one finds; of the record with this number only len bytes are there;
 *                                      or nil, the error's name
 *     history.match(patterns, channel) -> which of them counts
 */
#include <stdio.h>

#include "api/lua_args.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "hub/catchup.h"
#include "hub/snapshot.h"
#include "test/test.h"
#include "test/test_names.h"

#define HISTORY "core.test.history"

static History *check_history(lua_State *L) {
    return *(History **)luaL_checkudata(L, 1, HISTORY);
}

static uint64_t opt_field_number(lua_State *L, int index, const char *name, uint64_t otherwise) {
    lua_getfield(L, index, name);
    lua_Integer number = luaL_optinteger(L, -1, (lua_Integer)otherwise);
    lua_pop(L, 1);
    return (uint64_t)number;
}

static History *push_history(lua_State *L, uint64_t bytes_max) {
    History **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = history_new(12345, bytes_max);
    luaL_setmetatable(L, HISTORY);
    return *box;
}

static int f_new(lua_State *L) {
    push_history(L, (uint64_t)luaL_optinteger(L, 1, 1 << 20));
    return 1;
}

static int f_gc(lua_State *L) {
    history_free(check_history(L));
    return 0;
}

static Bytes *encode(const MessageParts *parts, MessageParts *placed) {
    Bytes *frame = bytes_new(parts->attributes.len + parts->id.len);
    memcpy(frame->data, parts->attributes.data, parts->attributes.len);
    memcpy(frame->data + parts->attributes.len, parts->id.data, parts->id.len);
    if (placed != NULL) {
        placed->event = STR("\"e\"");
        placed->attributes = str_make(frame->data, parts->attributes.len);
        placed->id = str_make(frame->data + parts->attributes.len, parts->id.len);
    }
    return frame;
}

static const MessageEncoder encoders[MESSAGE_TRANSPORT_COUNT] = {[0 ... MESSAGE_TRANSPORT_COUNT - 1] =
                                                                     encode};

static Notice *check_notice(lua_State *L, const RetentionRules *rules) {
    size_t names, except;
    const Str *name_list = check_field_list(L, 2, "names", &names);
    const Str *except_list = check_field_list(L, 2, "except", &except);
    bool is_each = opt_field_bool(L, 2, "each");
    NoticeSpec spec = {.kind = NOTICE_CHANNELS,
                       .is_efficient = opt_field_bool(L, 2, "efficient"),
                       .targets = name_list,
                       .target_count = (uint32_t)names,
                       .except = except_list,
                       .except_count = (uint32_t)except,
                       .message_count = is_each ? (uint32_t)names : 1,
                       .key = opt_field_str(L, 2, "key"),
                       .ends_ms = opt_field_number(L, 2, "ends", 0)};
    Notice *notice = notice_new(&spec);
    notice_keep(notice, rules);
    for (uint32_t i = 0; i < notice->message_count; i++) {
        MessageSpec message = {
            .event = STR("e"), .attributes = opt_field_str(L, 2, "text"), .has_id = true};
        message_init(&notice->messages[i], encoders, &message);
        if (is_each) notice->targets[i].message = i;
    }
    return notice;
}

static int f_add(lua_State *L) {
    History *history = check_history(L);
    RetentionRules rules;
    retention_init(&rules);
    Retention keep = {(uint32_t)opt_field_number(L, 3, "size", 100),
                      (uint32_t)opt_field_number(L, 3, "bytes", 100000),
                      (uint32_t)opt_field_number(L, 3, "ttl", 100000), opt_field_bool(L, 3, "durable")};
    retention_add(&rules, STR("*"), &keep);
    Notice *notice = check_notice(L, &rules);
    history_lock(history);
    history_add(history, notice, (uint64_t)luaL_optinteger(L, 4, 1));
    history_unlock(history);
    lua_pushinteger(L, (lua_Integer)notice->last_sequence);
    notice_release(notice);
    retention_deinit(&rules);
    return 1;
}

static int f_note(lua_State *L) {
    history_note(check_history(L), check_str(L, 2), check_str(L, 3),
                 (uint64_t)luaL_optinteger(L, 4, 1));
    return 0;
}

static int f_sweep(lua_State *L) {
    lua_pushboolean(L, history_sweep(check_history(L), (uint64_t)luaL_checkinteger(L, 2)));
    return 1;
}

static int f_bytes(lua_State *L) {
    check_history(L);
    lua_pushinteger(L, metrics_sum(METRIC_history_bytes));
    return 1;
}

static int f_id(lua_State *L) {
    char id[MESSAGE_ID_LEN];
    history_encode_id(check_history(L), (uint64_t)luaL_checkinteger(L, 2), id);
    push_str(L, str_make(id, sizeof id));
    return 1;
}

static void push_missed(lua_State *L, const MissedList *list) {
    lua_newtable(L);
    for (size_t i = 0; i < list->count; i++) {
        Str channel = list->items[i].notice->targets[list->items[i].target].name;
        Str text = missed_message(&list->items[i])->parts.attributes;
        push_str(L, text);
        lua_pushliteral(L, " by ");
        push_str(L, channel);
        lua_concat(L, 3);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void add_patterns(lua_State *L, int index, RetentionRules *rules) {
    size_t count;
    const Str *patterns = check_field_list(L, index, "patterns", &count);
    for (size_t i = 0; i < count; i++) {
        retention_add(rules, patterns[i], &(Retention){(uint32_t)i + 1, 1000, 1000, false});
    }
}

static int f_missed(lua_State *L) {
    static const char *const names[] = {"WHOLE", "UNKNOWN", "LOST", "TOO_MANY"};
    History *history = check_history(L);
    RetentionRules rules;
    retention_init(&rules);
    add_patterns(L, 2, &rules);
    Names *channels = check_field_names(L, 2, "channels");
    CatchupQuery query = {.user = opt_field_str(L, 2, "user"),
                          .channels = channels,
                          .rules = &rules,
                          .after = opt_field_str(L, 2, "after"),
                          .upto = opt_field_number(L, 2, "upto", history_sequence(history)),
                          .now_ms = opt_field_number(L, 2, "now", 1),
                          .events_max = (uint32_t)opt_field_number(L, 2, "events_max", 1000),
                          .bytes_max = opt_field_number(L, 2, "bytes_max", 100000)};
    Catchup catchup;
    catchup_find(history, &query, &catchup);
    lua_pushstring(L, names[catchup.result]);
    push_missed(L, &catchup.missed);
    missed_deinit(&catchup.missed);
    names_free(channels);
    retention_deinit(&rules);
    return 2;
}

static int shorten(Store *store, lua_Integer record, size_t len) {
    Str space = STR("history");
    char key[17];
    Buf value = BUF_NONE;
    snprintf(key, sizeof key, "%016llx", (unsigned long long)record);
    int err = store_get(store, space, str_of(key), 0, &value);
    StoreRecord less = {space, str_of(key), str_make(value.data, len < value.len ? len : value.len), 0};
    if (err == 0) err = store_begin(store);
    if (err == 0) err = store_put(store, &less);
    if (err == 0) err = store_commit(store);
    buf_deinit(&value);
    return err;
}

static int f_carry(lua_State *L) {
    Store *store;
    int err = store_open(check_str(L, 2), true, &store);
    if (err != 0) return luaL_error(L, "no store");
    err = snapshot_save(check_history(L), store);
    if (err == 0 && !lua_isnoneornil(L, 3)) {
        err = shorten(store, luaL_checkinteger(L, 3), (size_t)luaL_checkinteger(L, 4));
    }
    History *next = push_history(L, 1 << 20);
    if (err == 0) err = snapshot_load(store, encoders, next);
    if (err == 0) err = snapshot_drop(store);
    History *last = push_history(L, 1 << 20);
    if (err == 0) err = snapshot_load(store, encoders, last);
    store_close(store);
    if (err == 0) return 2;
    lua_pushnil(L);
    lua_pushstring(L, err_name(err));
    return 2;
}

static int f_match(lua_State *L) {
    RetentionRules rules;
    retention_init(&rules);
    add_patterns(L, 1, &rules);
    const Retention *found = retention_find(&rules, check_str(L, 2));
    if (found == NULL) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, found->events_max);
    }
    retention_deinit(&rules);
    return 1;
}

static const luaL_Reg methods[] = {{"add", f_add},     {"note", f_note}, {"sweep", f_sweep},
                                   {"bytes", f_bytes}, {"id", f_id},     {"missed", f_missed},
                                   {"carry", f_carry}, {"__gc", f_gc},   {NULL, NULL}};

static const luaL_Reg lib[] = {{"new", f_new}, {"match", f_match}, {NULL, NULL}};

int test_open_history(lua_State *L) {
    push_class(L, HISTORY, methods);
    lua_pop(L, 1);
    luaL_newlib(L, lib);
    return 1;
}
