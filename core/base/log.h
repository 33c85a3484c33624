/* SPDX-License-Identifier: Apache-2.0
 *
 * log: one line per happening on stderr, as text or as JSON lines. A line is written with one
 * write(2), so lines of different threads never mix. Level and format are set once, before the
 * threads start. Never hand it a secret: it hides nothing. Any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } LogLevel;
typedef enum { LOG_TEXT, LOG_JSON } LogFormat;

/* A named value of a line. */
typedef struct LogField {
    const char *name;
    Str value;
    bool is_raw; /* the value is JSON already (a number, true): written as it is */
} LogField;

void log_setup(LogLevel level, LogFormat format);
bool log_is_on(LogLevel level);

/* Names the calling thread in its lines ("main", "worker-0"); borrows for ever. */
void log_name_thread(const char *name);

void log_write(LogLevel level, Str message, const LogField *fields, size_t count);

/* Lines that are on go to the sink and not to stderr; NULL: to stderr again. A process of one thread only. */
typedef void (*LogSink)(void *context, LogLevel level, Str message, const LogField *fields,
                        size_t count);
void log_divert(LogSink sink, void *context);
const char *log_level_name(LogLevel level);

/* printf without fields. */
__attribute__((format(printf, 2, 3))) void log_line(LogLevel level, const char *format, ...);

#endif
