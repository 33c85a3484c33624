/* SPDX-License-Identifier: Apache-2.0 */
#include "script/strings.h"

#include <lauxlib.h>

#include "script/budget.h"
#include "script/pattern.h"
#include "script/script.h"

static Str check_text(lua_State *L, int arg) {
    size_t len;
    const char *data = luaL_checklstring(L, arg, &len);
    return str_make(data, len);
}

static void start(lua_State *L, Pattern *self, Str text, Str pattern, bool has_anchor) {
    const ScriptLimits *limits = &script_of(L)->limits;
    pattern_init(self, text, pattern, has_anchor);
    if (limits->pattern_steps_max > 0) self->steps_max = limits->pattern_steps_max;
    const Budget *budget = budget_get();
    if (budget != NULL) self->stop = &budget->is_late;
}

/* Raises when the search ended with a fault. */
static void check_fault(lua_State *L, const Pattern *self) {
    if (self->fault == PATTERN_GOOD) return;
    if (self->fault == PATTERN_STOPPED) budget_check(L);
    if (self->fault == PATTERN_REFERENCE_WRONG) {
        luaL_error(L, pattern_text(self->fault), self->reference);
    }
    luaL_error(L, "%s", pattern_text(self->fault));
}

/* The capture `i`, from 0; the whole match when there is none and 0 is wanted. */
static void push_capture(lua_State *L, const Pattern *self, int i, Str match) {
    if (i >= self->capture_count) {
        if (i != 0) luaL_error(L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(L, match.data, match.len);
    } else if (self->captures[i].is_open) {
        luaL_error(L, "unfinished capture");
    } else if (self->captures[i].is_position) {
        lua_pushinteger(L, self->captures[i].start - self->text + 1);
    } else {
        lua_pushlstring(L, self->captures[i].start, self->captures[i].len);
    }
}

/* All captures, or with `or_all` the whole match when there are none. */
static int push_captures(lua_State *L, const Pattern *self, Str match, bool or_all) {
    int count = self->capture_count == 0 && or_all ? 1 : self->capture_count;
    luaL_checkstack(L, count, "too many captures");
    for (int i = 0; i < count; i++) push_capture(L, self, i, match);
    return count;
}

/* Where the search begins, from 0; beyond the text's end when there is nothing to search. */
static size_t opt_init(lua_State *L, int arg, size_t len) {
    lua_Integer init = luaL_optinteger(L, arg, 1);
    if (init > 0) return (size_t)init - 1;
    if (init == 0 || init < -(lua_Integer)len) return 0;
    return len - (size_t)-init;
}

static int push_place(lua_State *L, Str text, const char *at, const char *end) {
    lua_pushinteger(L, at - text.data + 1);
    lua_pushinteger(L, end - text.data);
    return 2;
}

static int find_plain(lua_State *L, Str text, size_t init, Str wanted) {
    const char *at = memmem(text.data + init, text.len - init, wanted.data, wanted.len);
    if (at != NULL) return push_place(L, text, at, at + wanted.len);
    luaL_pushfail(L);
    return 1;
}

static int search(lua_State *L, bool is_find) {
    Str text = check_text(L, 1);
    Str pattern = check_text(L, 2);
    size_t init = opt_init(L, 3, text.len);
    if (init > text.len) {
        luaL_pushfail(L);
        return 1;
    }
    if (is_find && (lua_toboolean(L, 4) || pattern_is_plain(pattern))) {
        return find_plain(L, text, init, pattern);
    }
    Pattern self;
    start(L, &self, text, pattern, true);
    const char *end;
    const char *at = pattern_find(&self, text.data + init, &end);
    check_fault(L, &self);
    if (at == NULL) {
        luaL_pushfail(L);
        return 1;
    }
    Str match = str_make(at, (size_t)(end - at));
    int count = is_find ? push_place(L, text, at, end) : 0;
    return count + push_captures(L, &self, match, !is_find);
}

static int f_find(lua_State *L) {
    return search(L, true);
}

static int f_match(lua_State *L) {
    return search(L, false);
}

/* The state of a gmatch; text and pattern are its upvalues. */
typedef struct Walk {
    Pattern pattern;
    const char *at;
    const char *last; /* the end of the match before */
} Walk;

static int f_next_match(lua_State *L) {
    Walk *walk = lua_touserdata(L, lua_upvalueindex(3));
    Pattern *self = &walk->pattern;
    const Budget *budget = budget_get();
    self->stop = budget != NULL ? &budget->is_late : NULL;
    self->steps = 0;
    self->depth = 0;
    self->fault = PATTERN_GOOD;
    while (walk->at <= self->text_end) {
        const char *end;
        const char *at = pattern_find(self, walk->at, &end);
        check_fault(L, self);
        if (at == NULL) break;
        bool is_new = end != walk->last;
        walk->at = is_new ? end : at + 1;
        if (!is_new) continue;
        walk->last = end;
        return push_captures(L, self, str_make(at, (size_t)(end - at)), true);
    }
    walk->at = self->text_end + 1;
    return 0;
}

static int f_gmatch(lua_State *L) {
    Str text = check_text(L, 1);
    Str pattern = check_text(L, 2);
    size_t init = opt_init(L, 3, text.len);
    lua_settop(L, 2);
    Walk *walk = lua_newuserdatauv(L, sizeof *walk, 0);
    start(L, &walk->pattern, text, pattern, false);
    if (init > text.len) init = text.len + 1;
    walk->at = text.data + init;
    walk->last = NULL;
    lua_pushcclosure(L, f_next_match, 3);
    return 1;
}

/* `with` has % and digits for captures. */
static void add_text(lua_State *L, luaL_Buffer *out, const Pattern *self, Str match) {
    size_t len;
    const char *with = lua_tolstring(L, 3, &len);
    const char *end = with + len;
    const char *escape;
    while ((escape = memchr(with, '%', (size_t)(end - with))) != NULL) {
        luaL_addlstring(out, with, (size_t)(escape - with));
        char c = escape + 1 < end ? escape[1] : '\0';
        with = escape + 2;
        if (c == '%') {
            luaL_addchar(out, '%');
        } else if (c == '0') {
            luaL_addlstring(out, match.data, match.len);
        } else if (c >= '1' && c <= '9') {
            int number = c - '1';
            push_capture(L, self, number, match);
            luaL_tolstring(L, -1, NULL);
            lua_remove(L, -2);
            luaL_addvalue(out);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
    luaL_addlstring(out, with, (size_t)(end - with));
}

/* Adds what stands for the match. */
static void add_replacement(lua_State *L, luaL_Buffer *out, const Pattern *self, Str match) {
    switch (lua_type(L, 3)) {
    case LUA_TFUNCTION: {
        lua_pushvalue(L, 3);
        int count = push_captures(L, self, match, true);
        lua_call(L, count, 1);
        break;
    }
    case LUA_TTABLE:
        push_capture(L, self, 0, match);
        lua_gettable(L, 3);
        break;
    default: add_text(L, out, self, match); return;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(out, match.data, match.len);
    } else if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    } else {
        luaL_addvalue(out);
    }
}

/* The steps are counted from match to match. */
static const char *match_next(lua_State *L, Pattern *self, const char *at) {
    const char *end = pattern_match(self, at);
    check_fault(L, self);
    return end;
}

/* Replaces in all of the text, at most `max` times; tells how often. */
static lua_Integer replace(lua_State *L, luaL_Buffer *out, Pattern *self, lua_Integer max) {
    lua_Integer count = 0;
    const char *at = self->text;
    const char *last = NULL;
    while (count < max) {
        const char *end = match_next(L, self, at);
        if (end != NULL && end != last) {
            count++;
            add_replacement(L, out, self, str_make(at, (size_t)(end - at)));
            at = last = end;
        } else if (at < self->text_end) {
            luaL_addchar(out, *at++);
        } else {
            break;
        }
        if (self->is_anchored) break;
    }
    luaL_addlstring(out, at, (size_t)(self->text_end - at));
    return count;
}

static int f_gsub(lua_State *L) {
    Str text = check_text(L, 1);
    Str pattern = check_text(L, 2);
    int type = lua_type(L, 3);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TTABLE && type != LUA_TFUNCTION) {
        return luaL_typeerror(L, 3, "string/function/table");
    }
    lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)text.len + 1);
    if (type == LUA_TNUMBER) lua_tolstring(L, 3, NULL);
    Pattern self;
    start(L, &self, text, pattern, true);
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    lua_Integer count = replace(L, &out, &self, max);
    luaL_pushresult(&out);
    lua_pushinteger(L, count);
    return 2;
}

/* The result must not be larger than a plugin's values may be. */
static int f_rep(lua_State *L) {
    Str text = check_text(L, 1);
    lua_Integer count = luaL_checkinteger(L, 2);
    size_t separator = 0;
    luaL_optlstring(L, 3, "", &separator);
    size_t each = text.len + separator;
    if (count <= 0 || each == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if ((size_t)count > script_of(L)->limits.value_max / each) {
        return luaL_error(L, "resulting string too large: at most %I bytes",
                          (LUAI_UACINT)script_of(L)->limits.value_max);
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static const luaL_Reg functions[] = {
    {"find", f_find}, {"match", f_match}, {"gmatch", f_gmatch}, {"gsub", f_gsub}, {NULL, NULL}};

void strings_open(lua_State *L) {
    lua_getglobal(L, "string");
    luaL_setfuncs(L, functions, 0);
    lua_getfield(L, -1, "rep");
    lua_pushcclosure(L, f_rep, 1);
    lua_setfield(L, -2, "rep");
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pop(L, 1);
}
