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
 *     one:open(url)                    from now on it has a journal, whose rule is that all channels are durable
 *     one:fail_to_open()               a reload would give it such a journal, but that cannot be committed
 *     one:crash(), one:stop()          what the next life finds; or nil, the error's name. This one is over
 *     one:is_crowded()
 *     one:records()                    { "space key length", ... } of the journal
 *     one:shorten(space, key, len)     only len bytes of the record are there
 *     history.match(patterns, channel) -> which of them counts
 */
#include "api/lua_args.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "hub/catchup.h"
#include "hub/journal.h"
#include "hub/notice_record.h"
#include "test/test.h"
#include "test/test_names.h"

#define HISTORY "core.test.history"

typedef struct Box {
    History *history;
    Store *store; /* NULL: it has no journal */
    Journal journal;
} Box;

static Box *check_box(lua_State *L) {
    return luaL_checkudata(L, 1, HISTORY);
}

static History *check_history(lua_State *L) {
    return check_box(L)->history;
}

static uint64_t opt_field_number(lua_State *L, int index, const char *name, uint64_t otherwise) {
    lua_getfield(L, index, name);
    lua_Integer number = luaL_optinteger(L, -1, (lua_Integer)otherwise);
    lua_pop(L, 1);
    return (uint64_t)number;
}

static Box *push_box(lua_State *L, uint64_t epoch, uint64_t bytes_max) {
    Box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (Box){history_new(epoch, bytes_max), NULL, {0}};
    luaL_setmetatable(L, HISTORY);
    return box;
}

static int f_new(lua_State *L) {
    push_box(L, 12345, (uint64_t)luaL_optinteger(L, 1, 1 << 20));
    return 1;
}

static void close_journal(Box *box) {
    if (box->store == NULL) return;
    journal_deinit(&box->journal);
    store_close(box->store);
    box->store = NULL;
}

static int f_gc(lua_State *L) {
    Box *box = check_box(L);
    close_journal(box);
    history_free(box->history);
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

/* As a round of the roster does it. */
static void write_notice(Box *box, Notice *notice) {
    Op *op = op_new(OP_LOG);
    Buf row = BUF_NONE;
    notice_record_pack(notice, &row);
    op->notice = notice_retain(notice);
    op->value = bytes_copy(buf_str(&row));
    int err = store_begin(box->store);
    if (err == 0) err = journal_add(&box->journal, op);
    if (err == 0) err = journal_finish(&box->journal);
    if (err == 0) err = store_commit(box->store);
    journal_settle(&box->journal, err);
    buf_deinit(&row);
    op_free(op);
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
    if (keep.is_durable && check_box(L)->store != NULL) write_notice(check_box(L), notice);
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

static int f_is_crowded(lua_State *L) {
    lua_pushboolean(L, history_is_crowded(check_history(L)));
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

static int push_error(lua_State *L, int err) {
    lua_pushnil(L);
    lua_pushstring(L, err_name(err));
    return 2;
}

static void init_rules(RetentionRules *rules) {
    retention_init(rules);
    retention_add(rules, STR("*"), &(Retention){100, 1000, 1000, true});
}

static int begin_life(Box *box) {
    RetentionRules rules;
    init_rules(&rules);
    journal_init(&box->journal, box->store, box->history);
    int err = journal_start(&box->journal, &rules);
    retention_deinit(&rules);
    return err;
}

static int f_open(lua_State *L) {
    Box *box = check_box(L);
    int err = store_open(check_str(L, 2), true, &box->store);
    if (err == 0) err = begin_life(box);
    return err == 0 ? 0 : push_error(L, err);
}

static int f_fail_to_open(lua_State *L) {
    Box *box = check_box(L);
    RetentionRules rules;
    Buf row = BUF_NONE;
    init_rules(&rules);
    retention_pack(&rules, &row);
    Op *op = op_new(OP_RULES);
    op->value = bytes_copy(buf_str(&row));
    op->is_add = true;
    Store *store = NULL;
    int err = store_open(STR("memory"), true, &store);
    if (err == 0) err = store_begin(store);
    journal_init(&box->journal, store, box->history);
    if (err == 0) err = journal_change_rules(&box->journal, op);
    if (err == 0) store_rollback(store);
    journal_settle(&box->journal, ERR_UNAVAILABLE);
    journal_deinit(&box->journal);
    store_close(store);
    op_free(op);
    buf_deinit(&row);
    retention_deinit(&rules);
    return err == 0 ? 0 : push_error(L, err);
}

static int go_on(lua_State *L, Box *box, int err) {
    Box *next = push_box(L, 12346, 1 << 20);
    next->store = box->store;
    box->store = NULL;
    journal_deinit(&box->journal);
    if (err == 0) err = journal_load(next->store, encoders, next->history);
    if (err == 0) err = begin_life(next);
    return err == 0 ? 1 : push_error(L, err);
}

static int f_crash(lua_State *L) {
    return go_on(L, check_box(L), 0);
}

static int f_stop(lua_State *L) {
    Box *box = check_box(L);
    return go_on(L, box, journal_stop(&box->journal));
}

static bool on_record(void *context, const StoreRecord *record) {
    lua_State *L = context;
    lua_pushfstring(L, "%s ", lua_tostring(L, -2));
    push_str(L, record->key);
    lua_pushfstring(L, " %d", (int)record->value.len);
    lua_concat(L, 3);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    return true;
}

static int f_records(lua_State *L) {
    static const char *const spaces[] = {"history", "history-channels", "history-events"};
    const Box *box = check_box(L);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        lua_pushstring(L, spaces[i]);
        lua_insert(L, -2);
        StoreRange range = {str_of(spaces[i]), STR_NONE, STR_NONE};
        int err = store_each(box->store, &range, 0, on_record, L);
        if (err != 0) return push_error(L, err);
        lua_remove(L, -2);
    }
    return 1;
}

static int f_shorten(lua_State *L) {
    Store *store = check_box(L)->store;
    StoreRecord record = {.space = check_str(L, 2), .key = check_str(L, 3)};
    Buf value = BUF_NONE;
    int err = store_get(store, record.space, record.key, 0, &value);
    size_t len = (size_t)luaL_checkinteger(L, 4);
    record.value = str_make(value.data, len < value.len ? len : value.len);
    if (err == 0) err = store_begin(store);
    if (err == 0) err = store_put(store, &record);
    if (err == 0) err = store_commit(store);
    buf_deinit(&value);
    return err == 0 ? 0 : push_error(L, err);
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

static const luaL_Reg methods[] = {
    {"add", f_add},
    {"note", f_note},
    {"sweep", f_sweep},
    {"bytes", f_bytes},
    {"id", f_id},
    {"missed", f_missed},
    {"open", f_open},
    {"crash", f_crash},
    {"stop", f_stop},
    {"records", f_records},
    {"shorten", f_shorten},
    {"is_crowded", f_is_crowded},
    {"fail_to_open", f_fail_to_open},
    {"__gc", f_gc},
    {NULL, NULL},
};

static const luaL_Reg lib[] = {{"new", f_new}, {"match", f_match}, {NULL, NULL}};

int test_open_history(lua_State *L) {
    push_class(L, HISTORY, methods);
    lua_pop(L, 1);
    luaL_newlib(L, lib);
    return 1;
}
