/* SPDX-License-Identifier: Apache-2.0
 *
 * json: a validating scanner (RFC 8259) that never builds a tree. It finds the spans of members in
 * raw text and splices members in or out, so that all other bytes stay as they were: member order,
 * 64-bit integers, long decimals, [] and {}, escapes, blanks. "Value" below means the raw text of
 * one JSON value without blanks around it. All but json_check and json_encode_string want text that
 * json_check has accepted; given other text they stop early or answer nonsense, but never read
 * beyond it. All take time linear in the text, and stack that does not grow with its depth. Results
 * borrow the text; an `out` is appended to, and may not be where the text is. Any thread.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { JSON_DEPTH_MAX = 1024 }; /* the deepest that json_check can go */

typedef enum {
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
} JsonType;

typedef struct JsonFault {
    size_t offset;       /* where the wrong byte, escape or word begins; may be the length */
    const char *message; /* static; a sentence part such as "a string is not closed" */
} JsonFault;

/* Checks that `text` is exactly one JSON value, valid UTF-8, nested at most `depth_max` (up to
 * JSON_DEPTH_MAX) containers deep, and gives its span without the blanks around it. ERR_INVALID (or
 * ERR_LIMIT for the depth) fills `fault`. Like JSON.parse, accepts an escaped lone surrogate. */
WARN_UNUSED int json_check(Str text, unsigned depth_max, Str *value, JsonFault *fault);

JsonType json_type(Str value);

/* Walks the members of an object or the items of an array, in order:
 *     JsonWalk walk = json_walk(value);
 *     while (json_next(&walk, &key, &item)) ...
 * `key` is the raw string with its quotes (STR_NONE in an array). */
typedef struct JsonWalk {
    const char *at; /* the rest of the container's inside, up to `end` */
    const char *end;
    bool is_object;
} JsonWalk;

JsonWalk json_walk(Str container);
bool json_next(JsonWalk *walk, Str *key, Str *item);

/* Whether the raw string `raw` (with quotes) says `text`; escapes are understood. */
bool json_string_equal(Str raw, Str text);

/* The member `key` of an object. With duplicates the last counts, as for JSON.parse. */
bool json_find(Str object, Str key, Str *item);

/* Appends to `out` the object with the member set: the first of that name gets the new item, its
 * duplicates go as with json_remove; a new one comes last. `item` is a valid JSON value. */
void json_set(Str object, Str key, Str item, Buf *out);

/* Appends to `out` the object without the member and its duplicates. With each goes one comma, and
 * no blank that stood around the member. */
void json_remove(Str object, Str key, Buf *out);

/* Appends the bytes that the raw string says. A lone surrogate becomes U+FFFD. */
void json_decode_string(Str raw, Buf *out);

/* Appends `text` as a JSON string with quotes. Bytes that are no UTF-8 become U+FFFD. */
void json_encode_string(Str text, Buf *out);

#endif
