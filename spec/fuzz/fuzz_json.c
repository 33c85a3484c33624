/* SPDX-License-Identifier: Apache-2.0
 *
 * The input is a text. If json_check accepts it, all of it is walked, its strings are decoded and
 * encoded again, and members of its objects are set and removed; what json.h promises of that is
 * ensured. If not, the walkers get it all the same, and must stay inside it.
 */
#include "base/ensure.h"
#include "base/json.h"
#include "base/text.h"

enum { DEPTH_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The value of a text that json_check must accept. */
static Str checked(Str text) {
    Str value;
    JsonFault fault;
    ensure(json_check(text, JSON_DEPTH_MAX, &value, &fault) == 0);
    return value;
}

static bool is_value(Str text) {
    Str value = checked(text);
    return value.data == text.data && value.len == text.len;
}

static bool is_container(Str value) {
    return json_type(value) == JSON_OBJECT || json_type(value) == JSON_ARRAY;
}

static void check_string(Str raw) {
    Buf said = BUF_NONE, encoded = BUF_NONE, again = BUF_NONE;
    json_decode_string(raw, &said);
    ensure(text_is_utf8(buf_str(&said)));
    ensure(json_string_equal(raw, buf_str(&said)));
    json_encode_string(buf_str(&said), &encoded);
    ensure(is_value(buf_str(&encoded)));
    json_decode_string(buf_str(&encoded), &again);
    ensure(str_equal(buf_str(&said), buf_str(&again)));
    buf_add_char(&said, '!');
    ensure(!json_string_equal(raw, buf_str(&said)));
    buf_deinit(&said);
    buf_deinit(&encoded);
    buf_deinit(&again);
}

/* Appends the members that do not bear `key`, one behind the other; counts those that do. */
static void collect_others(Str object, Str key, Buf *others, size_t *count) {
    Str name, item;
    JsonWalk walk = json_walk(object);
    *count = 0;
    while (json_next(&walk, &name, &item)) {
        if (json_string_equal(name, key)) {
            ++*count;
        } else {
            buf_add(others, str_make(name.data, (size_t)(item.data + item.len - name.data)));
        }
    }
}

/* Ensures that `object` has the same other members as `before`, and `count` with the key. */
static void check_members(Buf *object, Str key, size_t count, Str before) {
    Buf others = BUF_NONE;
    size_t found;
    ensure(is_value(buf_str(object)));
    collect_others(buf_str(object), key, &others, &found);
    ensure(found == count);
    ensure(str_equal(buf_str(&others), before));
    buf_deinit(&others);
}

static void check_splice(Str object, Str key) {
    Buf others = BUF_NONE, set = BUF_NONE, removed = BUF_NONE, back = BUF_NONE;
    Str old = STR_NONE, item = STR_NONE, new_item = STR("[\"new\",{}]");
    size_t count;
    collect_others(object, key, &others, &count);
    ensure(json_find(object, key, &old) == (count > 0));

    json_set(object, key, new_item, &set);
    check_members(&set, key, 1, buf_str(&others));
    ensure(json_find(buf_str(&set), key, &item) && str_equal(item, new_item));

    json_remove(object, key, &removed);
    check_members(&removed, key, 0, buf_str(&others));
    ensure(!json_find(buf_str(&removed), key, &item));
    ensure(count > 0 || str_equal(buf_str(&removed), object));

    if (count == 0) json_remove(buf_str(&set), key, &back);
    if (count == 1) json_set(buf_str(&set), key, old, &back);
    ensure(count > 1 || str_equal(buf_str(&back), object));
    buf_deinit(&others);
    buf_deinit(&set);
    buf_deinit(&removed);
    buf_deinit(&back);
}

/* Splices the first, the last and a new member. */
static void check_object(Str object) {
    Str name, item, first = STR_NONE, last = STR_NONE;
    JsonWalk walk = json_walk(object);
    while (json_next(&walk, &name, &item)) {
        if (first.len == 0) first = name;
        last = name;
    }
    check_splice(object, STR("origin"));
    if (first.len == 0) return;
    Buf key = BUF_NONE;
    json_decode_string(first, &key);
    check_splice(object, buf_str(&key));
    buf_clear(&key);
    json_decode_string(last, &key);
    check_splice(object, buf_str(&key));
    buf_deinit(&key);
}

static void check_value(Str value) {
    ensure(is_value(value));
    if (json_type(value) == JSON_STRING) check_string(value);
    if (json_type(value) == JSON_OBJECT) check_object(value);
}

/* Ensures that from `at` to `end` there are blanks, and `separator` at most once. */
static void check_gap(const char *at, const char *end, char separator) {
    Str gap = str_make(at, (size_t)(end - at)), before, after;
    ensure(at <= end);
    str_split(gap, separator, &before, &after);
    ensure(str_trim(before).len == 0 && str_trim(after).len == 0);
}

/* A checked value, and what lies inside it, without recursion. */
static void check_tree(Str value) {
    JsonWalk walks[DEPTH_MAX];
    size_t depth = 0;
    Str key, item;
    check_value(value);
    if (is_container(value)) walks[depth++] = json_walk(value);
    while (depth > 0) {
        const char *from = walks[depth - 1].at;
        if (!json_next(&walks[depth - 1], &key, &item)) {
            check_gap(from, walks[depth - 1].end, ',');
            depth--;
            continue;
        }
        if (walks[depth - 1].is_object) {
            check_gap(from, key.data, ',');
            check_gap(key.data + key.len, item.data, ':');
            check_value(key);
            ensure(json_type(key) == JSON_STRING);
        } else {
            check_gap(from, item.data, ',');
            ensure(key.len == 0);
        }
        check_value(item);
        if (!is_container(item)) continue;
        ensure(depth < DEPTH_MAX);
        walks[depth++] = json_walk(item);
    }
}

/* Lets the walkers loose on a text that is no JSON. */
static void try_walkers(Str text) {
    Str key, item;
    Buf out = BUF_NONE;
    if (text.len < 2 || !is_container(text)) return;
    JsonWalk walk = json_walk(text);
    while (json_next(&walk, &key, &item)) {
        ensure(item.len > 0 && item.data + item.len < text.data + text.len);
        if (json_type(item) == JSON_STRING) json_decode_string(item, &out);
    }
    if (json_type(text) == JSON_OBJECT) {
        json_find(text, STR("a"), &item);
        json_set(text, STR("a"), STR("1"), &out);
        json_remove(text, STR("a"), &out);
    }
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = str_make((const char *)data, size);
    Str value = STR_NONE;
    JsonFault fault = {0, NULL};
    int err = json_check(text, DEPTH_MAX, &value, &fault);
    if (err) {
        ensure(err == ERR_INVALID || err == ERR_LIMIT);
        ensure(fault.offset <= size && fault.message != NULL && value.data == NULL);
        try_walkers(text);
    } else {
        ensure(str_equal(value, str_trim(text)));
        check_tree(value);
    }
    Buf encoded = BUF_NONE;
    json_encode_string(text, &encoded);
    ensure(is_value(buf_str(&encoded)));
    check_string(buf_str(&encoded));
    buf_deinit(&encoded);
    return 0;
}
