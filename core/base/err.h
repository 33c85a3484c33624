/* SPDX-License-Identifier: Apache-2.0
 *
 * err: the one list of error codes for failures of the world (disk, limits, peers that went away).
 * Negative ints, 0 is success. A programmer's mistake is an assert or ensure(), a peer's fault is a
 * value in its room's own catalogue. Codes reach Lua as their name ("CLOSED") and clients as a code.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_MAP(X)                                         \
    X(INVALID, -1, "the value is not valid")               \
    X(LIMIT, -2, "a limit was reached")                    \
    X(NOT_FOUND, -3, "there is no such thing")             \
    X(EXISTS, -4, "it exists already")                     \
    X(CANCELED, -5, "the operation was cancelled")         \
    X(CLOSED, -6, "the other side is closed")              \
    X(TIMEOUT, -7, "it took too long")                     \
    X(IO, -8, "reading or writing failed")                 \
    X(UNAVAILABLE, -9, "the service is not available now") \
    X(DENIED, -10, "it is not allowed")                    \
    X(EXPIRED, -11, "it is no longer valid")

enum {
#define ERR_ENUM(name, number, text) ERR_##name = (number),
    ERR_MAP(ERR_ENUM)
#undef ERR_ENUM
};

/* A fallible function's result may not be ignored. */
#define WARN_UNUSED __attribute__((warn_unused_result))

/* The code's name ("LIMIT"), "UNKNOWN" for a number that is not in the list. Static memory. */
const char *err_name(int err);

/* The code's text, a sentence without a full stop. Static memory. */
const char *err_text(int err);

#endif
