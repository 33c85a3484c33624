/* SPDX-License-Identifier: Apache-2.0
 *
 * Two halves. The scanner (json_check) believes nothing and decides what is JSON. The walkers, all
 * that follows it, find their way in text that the scanner accepted, so they look at quotes,
 * brackets and commas only; in other text they stop early, but never leave it. Nothing recurs:
 * depth costs a byte of a fixed stack in the scanner and a counter in the walkers.
 */
#include "base/json.h"

#include <assert.h>
#include <endian.h>
#include <stdint.h>

#include "base/text.h"

enum { REPLACEMENT = 0xFFFD }; /* U+FFFD stands for what is no character */

/* The escapes of one letter, and what each of them says. */
static const char escape_letters[] = "\"\\/bfnrt";
static const char escape_meanings[] = "\"\\/\b\f\n\r\t";

/* The byte of `to` that stands where `c` stands in `from`, NUL when it is not there. */
static char translate(char c, const char *from, const char *to) {
    const char *found = c ? strchr(from, c) : NULL;
    return found ? to[found - from] : '\0';
}

static inline bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *skip_blanks(const char *at, const char *end) {
    while (at < end && is_blank(*at)) at++;
    return at;
}

static inline Str span(const char *from, const char *end) {
    return str_make(from, (size_t)(end - from));
}

/* Marks, by their highest bit, those of eight bytes that are a quote, a backslash, a control byte
 * or not ASCII. Above the first true mark there may be false ones, because subtraction borrows. */
static inline uint64_t mark_special(uint64_t bytes) {
    const uint64_t ones = 0x0101010101010101;
    uint64_t quote = bytes ^ (ones * '"');
    uint64_t backslash = bytes ^ (ones * '\\');
    uint64_t marks = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                     ((bytes - ones * ' ') & ~bytes) | bytes;
    return marks & (ones * 0x80);
}

/* As far as eight bytes at once have nothing special, or to the first special one of them. */
static inline const char *skip_eights(const char *at, const char *end) {
    for (; end - at >= 8; at += 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof(bytes));
        uint64_t marks = mark_special(le64toh(bytes));
        if (marks) return at + __builtin_ctzll(marks) / 8;
    }
    return at;
}

/* Inside a string: to the next byte that is a quote, a backslash, a control character or no UTF-8.
 * Eights fail in text that is not English, so some characters are taken singly before the next. */
static inline const char *skip_text(const char *at, const char *end) {
    for (;;) {
        at = skip_eights(at, end);
        for (int i = 0; i < 16; i++) {
            if (at == end || (unsigned char)*at < ' ' || *at == '"' || *at == '\\') return at;
            size_t len = text_utf8_len(span(at, end));
            if (len == 0) return at;
            at += len;
        }
    }
}

/* The value of the four hexadecimal digits at `at`, -1 when they are not there. */
static int32_t parse_hex4(const char *at, const char *end) {
    if (end - at < 4) return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = text_hex_digit(at[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Text that is being checked. */
typedef struct Scanner {
    const char *at;               /* the next byte; after a refusal, the wrong one */
    const char *end;              /* behind the last byte */
    const char *message;          /* of the refusal */
    unsigned depth_max;           /* at most JSON_DEPTH_MAX */
    unsigned depth;               /* containers that are open */
    char closers[JSON_DEPTH_MAX]; /* the bracket that closes each of them */
} Scanner;

/* The next byte; at the end NUL, which nothing in JSON begins with. */
static inline char peek(const Scanner *scanner) {
    return scanner->at < scanner->end ? *scanner->at : '\0';
}

static int refuse(Scanner *scanner, const char *at, const char *message) {
    scanner->at = at;
    scanner->message = message;
    return ERR_INVALID;
}

/* The length of the escape at `at`, 0 when it is none. */
static inline size_t escape_len(const char *at, const char *end) {
    if (end - at < 2) return 0;
    if (at[1] == 'u') return parse_hex4(at + 2, end) < 0 ? 0 : 6;
    return translate(at[1], escape_letters, escape_meanings) ? 2 : 0;
}

static int check_string(Scanner *scanner) {
    const char *end = scanner->end;
    const char *at = skip_text(scanner->at + 1, end);
    while (at < end && *at == '\\') {
        size_t len = escape_len(at, end);
        if (len == 0) return refuse(scanner, at, "an escape is not known");
        at = skip_text(at + len, end);
    }
    if (at == end) return refuse(scanner, at, "a string is not closed");
    if ((unsigned char)*at < ' ') return refuse(scanner, at, "a control character is not escaped");
    if (*at != '"') return refuse(scanner, at, "the bytes are not UTF-8");
    scanner->at = at + 1;
    return 0;
}

static inline const char *skip_digits(const char *at, const char *end) {
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at;
}

static int check_number(Scanner *scanner) {
    const char *end = scanner->end;
    const char *digits = scanner->at + (*scanner->at == '-');
    const char *at = skip_digits(digits, end);
    if (at == digits) return refuse(scanner, at, "a number lacks its digits");
    if (*digits == '0' && at > digits + 1) {
        return refuse(scanner, digits + 1, "a number begins with a needless zero");
    }
    if (at < end && *at == '.') {
        digits = at + 1;
        at = skip_digits(digits, end);
        if (at == digits) return refuse(scanner, at, "a number lacks digits after the point");
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        digits = at;
        at = skip_digits(digits, end);
        if (at == digits) return refuse(scanner, at, "a number lacks the digits of its exponent");
    }
    scanner->at = at;
    return 0;
}

static int check_word(Scanner *scanner, Str word) {
    if (!str_has_prefix(span(scanner->at, scanner->end), word)) {
        return refuse(scanner, scanner->at, "a word other than true, false or null");
    }
    scanner->at += word.len;
    return 0;
}

static int check_scalar(Scanner *scanner) {
    char c = peek(scanner);
    switch (c) {
    case '"': return check_string(scanner);
    case 't': return check_word(scanner, STR("true"));
    case 'f': return check_word(scanner, STR("false"));
    case 'n': return check_word(scanner, STR("null"));
    default: break;
    }
    if (c == '-' || (c >= '0' && c <= '9')) return check_number(scanner);
    return refuse(scanner, scanner->at, "a value is missing");
}

static int check_opener(Scanner *scanner) {
    if (scanner->depth == scanner->depth_max) {
        refuse(scanner, scanner->at, "it is nested too deep");
        return ERR_LIMIT;
    }
    scanner->closers[scanner->depth++] = *scanner->at == '{' ? '}' : ']';
    scanner->at++;
    return 0;
}

/* The name of a member and its colon, up to the value. */
static int check_key(Scanner *scanner) {
    if (peek(scanner) != '"') {
        return refuse(scanner, scanner->at, "the name of a member is missing");
    }
    int err = check_string(scanner);
    if (err) return err;
    scanner->at = skip_blanks(scanner->at, scanner->end);
    if (peek(scanner) != ':') return refuse(scanner, scanner->at, "a colon is missing");
    scanner->at = skip_blanks(scanner->at + 1, scanner->end);
    return 0;
}

/* Behind a value, or (`is_first`) behind an opening bracket: closes the containers that end here
 * and goes on to the next value, if there is one. */
static int check_between(Scanner *scanner, bool is_first) {
    for (; scanner->depth > 0; is_first = false) {
        scanner->at = skip_blanks(scanner->at, scanner->end);
        char closer = scanner->closers[scanner->depth - 1];
        char c = peek(scanner);
        if (c == closer) {
            scanner->at++;
            scanner->depth--;
            continue;
        }
        if (!is_first) {
            if (c != ',') return refuse(scanner, scanner->at, "a comma or a bracket is missing");
            scanner->at = skip_blanks(scanner->at + 1, scanner->end);
        }
        return closer == '}' ? check_key(scanner) : 0;
    }
    return 0;
}

static int check_value(Scanner *scanner) {
    int err;
    do {
        char c = peek(scanner);
        bool is_opener = c == '{' || c == '[';
        err = is_opener ? check_opener(scanner) : check_scalar(scanner);
        if (!err) err = check_between(scanner, is_opener);
    } while (!err && scanner->depth > 0);
    return err;
}

int json_check(Str text, unsigned depth_max, Str *value, JsonFault *fault) {
    assert(depth_max <= JSON_DEPTH_MAX);
    if (text.len == 0) text = STR("");
    Scanner scanner; /* not cleared: `closers` is written before it is read */
    scanner.at = skip_blanks(text.data, text.data + text.len);
    scanner.end = text.data + text.len;
    scanner.depth_max = depth_max <= JSON_DEPTH_MAX ? depth_max : JSON_DEPTH_MAX;
    scanner.depth = 0;
    const char *start = scanner.at;
    int err = check_value(&scanner);
    const char *value_end = scanner.at;
    if (!err) {
        scanner.at = skip_blanks(scanner.at, scanner.end);
        if (scanner.at < scanner.end) err = refuse(&scanner, scanner.at, "the value is over");
    }
    if (err) {
        *fault = (JsonFault){(size_t)(scanner.at - text.data), scanner.message};
        return err;
    }
    *value = span(start, value_end);
    return 0;
}

JsonType json_type(Str value) {
    assert(value.len > 0);
    switch (value.len > 0 ? value.data[0] : 'n') {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't': return JSON_TRUE;
    case 'f': return JSON_FALSE;
    case 'n': return JSON_NULL;
    default: return JSON_NUMBER;
    }
}

/* Behind the string whose first quote is at `at`; NULL when it is not closed. A quote closes it
 * unless an odd number of backslashes stands before it. */
static const char *end_of_string(const char *at, const char *end) {
    const char *from = at + 1;
    const char *quote;
    while ((quote = memchr(from, '"', (size_t)(end - from))) != NULL) {
        const char *run = quote;
        while (run[-1] == '\\') run--; /* the first quote ends it, if nothing does */
        if ((quote - run) % 2 == 0) return quote + 1;
        from = quote + 1;
    }
    return NULL;
}

static const char *end_of_container(const char *at, const char *end) {
    size_t depth = 0;
    while (at < end) {
        char c = *at;
        if (c == '"') {
            at = end_of_string(at, end);
            if (at == NULL) return NULL;
            continue;
        }
        at++;
        if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at;
        }
    }
    return NULL;
}

/* Behind the value that begins at `at`; NULL when none does. */
static const char *end_of_value(const char *at, const char *end) {
    if (at == end) return NULL;
    if (*at == '"') return end_of_string(at, end);
    if (*at == '{' || *at == '[') return end_of_container(at, end);
    const char *start = at;
    while (at < end && *at != ',' && *at != ']' && *at != '}' && !is_blank(*at)) at++;
    return at > start ? at : NULL;
}

/* Behind the name and the colon of the member at `at`; NULL when there is none. */
static const char *end_of_key(const char *at, const char *end, Str *key) {
    const char *key_end = at < end && *at == '"' ? end_of_string(at, end) : NULL;
    if (key_end == NULL) return NULL;
    *key = span(at, key_end);
    at = skip_blanks(key_end, end);
    return at < end && *at == ':' ? skip_blanks(at + 1, end) : NULL;
}

JsonWalk json_walk(Str container) {
    assert(container.len >= 2 && (container.data[0] == '{' || container.data[0] == '['));
    if (container.len < 2) container = STR("[]");
    const char *last = container.data + container.len - 1;
    return (JsonWalk){container.data + 1, last, container.data[0] == '{'};
}

bool json_next(JsonWalk *walk, Str *key, Str *item) {
    const char *end = walk->end;
    const char *at = skip_blanks(walk->at, end);
    walk->at = end; /* the walk is over, unless there is an item with a comma behind it */
    Str name = STR_NONE;
    if (walk->is_object) at = end_of_key(at, end, &name);
    const char *item_end = at ? end_of_value(at, end) : NULL;
    if (item_end == NULL) return false;
    *key = name;
    *item = span(at, item_end);
    at = skip_blanks(item_end, end);
    if (at < end && *at == ',') walk->at = at + 1;
    return true;
}

/* Behind the \u escape at `at`, with the second half of a surrogate pair if that follows. */
static const char *decode_hex_escape(const char *at, const char *end, uint32_t *code) {
    int32_t high = parse_hex4(at + 2, end);
    *code = REPLACEMENT;
    if (high < 0) return end;
    at += 6;
    if (high < 0xD800 || high > 0xDFFF) {
        *code = (uint32_t)high;
        return at;
    }
    bool may_pair = high < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u';
    int32_t low = may_pair ? parse_hex4(at + 2, end) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return at;
    *code = 0x10000 + ((uint32_t)(high - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
    return at + 6;
}

/* Behind the escape at `at`, which says the code point `code`. */
static const char *decode_escape(const char *at, const char *end, uint32_t *code) {
    char letter = end - at < 2 ? '\0' : at[1];
    if (letter == 'u') return decode_hex_escape(at, end, code);
    char meaning = translate(letter, escape_letters, escape_meanings);
    *code = meaning ? (uint32_t)meaning : REPLACEMENT;
    return meaning ? at + 2 : end;
}

/* The first backslash, or the end. */
static const char *find_escape(const char *at, const char *end) {
    const char *escape = memchr(at, '\\', (size_t)(end - at));
    return escape ? escape : end;
}

/* A raw string without its quotes. */
static Str inside_of(Str raw) {
    assert(raw.len >= 2 && raw.data[0] == '"');
    return raw.len >= 2 ? str_make(raw.data + 1, raw.len - 2) : STR("");
}

static bool drop_prefix(Str *text, Str prefix) {
    if (prefix.len == 0) return true;
    if (!str_has_prefix(*text, prefix)) return false;
    *text = str_make(text->data + prefix.len, text->len - prefix.len);
    return true;
}

bool json_string_equal(Str raw, Str text) {
    Str inside = inside_of(raw);
    if (inside.len < text.len) return false; /* no escape is shorter than what it says */
    const char *at = inside.data, *end = at + inside.len;
    while (at < end) {
        const char *escape = find_escape(at, end);
        if (!drop_prefix(&text, span(at, escape))) return false;
        if (escape == end) break;
        uint32_t code;
        char bytes[TEXT_UTF8_MAX];
        at = decode_escape(escape, end, &code);
        if (!drop_prefix(&text, str_make(bytes, text_encode_utf8(code, bytes)))) return false;
    }
    return text.len == 0;
}

void json_decode_string(Str raw, Buf *out) {
    Str inside = inside_of(raw);
    buf_reserve(out, inside.len);
    const char *at = inside.data, *end = at + inside.len;
    while (at < end) {
        const char *escape = find_escape(at, end);
        buf_add(out, span(at, escape));
        if (escape == end) break;
        uint32_t code;
        at = decode_escape(escape, end, &code);
        text_add_utf8(out, code);
    }
}

void json_encode_string(Str text, Buf *out) {
    buf_reserve(out, text.len + 2);
    buf_add_char(out, '"');
    const char *at = text.data, *end = text.len ? at + text.len : at;
    while (at < end) {
        const char *special = skip_text(at, end);
        buf_add(out, span(at, special));
        if (special == end) break;
        char letter = translate(*special, escape_meanings, escape_letters);
        if (letter) {
            buf_add(out, str_make((char[]){'\\', letter}, 2));
        } else if ((unsigned char)*special < ' ') {
            buf_addf(out, "\\u%04x", (unsigned)*special);
        } else {
            text_add_utf8(out, REPLACEMENT);
        }
        at = special + 1;
    }
    buf_add_char(out, '"');
}

bool json_find(Str object, Str key, Str *item) {
    assert(json_type(object) == JSON_OBJECT);
    bool is_found = false;
    Str name, value;
    JsonWalk walk = json_walk(object);
    while (json_next(&walk, &name, &value)) {
        if (!json_string_equal(name, key)) continue;
        *item = value;
        is_found = true;
    }
    return is_found;
}

/* json_set, or json_remove with `item` NULL. A comma stays where a member that stays follows
 * another, so that with each member that goes exactly one goes. */
static void splice(Str object, Str key, const Str *item, Buf *out) {
    assert(json_type(object) == JSON_OBJECT);
    buf_reserve(out, object.len + key.len + (item ? item->len : 0));
    buf_add_char(out, '{');
    bool is_set = false, is_first = true;
    Str name, value, before, after;
    JsonWalk walk = json_walk(object);
    const char *from = walk.at; /* what is before it is dealt with */
    while (json_next(&walk, &name, &value)) {
        bool is_same = json_string_equal(name, key);
        bool stays = !is_same || (item && !is_set);
        str_split(span(from, name.data), ',', &before, &after);
        buf_add(out, before);
        if (stays && !is_first) buf_add_char(out, ',');
        buf_add(out, after);
        from = value.data + value.len;
        if (!stays) continue;
        is_first = false;
        buf_add(out, span(name.data, is_same ? value.data : from));
        if (is_same) buf_add(out, *item);
        is_set |= is_same;
    }
    if (item && !is_set) {
        if (!is_first) buf_add_char(out, ',');
        json_encode_string(key, out);
        buf_add_char(out, ':');
        buf_add(out, *item);
    }
    buf_add(out, span(from, walk.end));
    buf_add_char(out, '}');
}

void json_set(Str object, Str key, Str item, Buf *out) {
    splice(object, key, &item, out);
}

void json_remove(Str object, Str key, Buf *out) {
    splice(object, key, NULL, out);
}
