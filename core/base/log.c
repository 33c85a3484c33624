/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

static LogLevel level_min = LOG_INFO;
static LogFormat line_format = LOG_TEXT;
static LogSink sink_now; /* NULL: stderr */
static void *sink_context;
static _Thread_local const char *thread_name = "main";

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(LogLevel level, LogFormat format) {
    level_min = level;
    line_format = format;
}

bool log_is_on(LogLevel level) {
    return level >= level_min;
}

void log_divert(LogSink sink, void *context) {
    sink_now = sink;
    sink_context = context;
}

const char *log_level_name(LogLevel level) {
    return level_names[level];
}

void log_name_thread(const char *name) {
    thread_name = name;
}

static void add_json(Buf *line, LogLevel level, Str message, const LogField *fields, size_t count,
                     const char *now) {
    buf_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"thread\":\"%s\",\"message\":", now,
             level_names[level], thread_name);
    json_encode_string(message, line);
    for (size_t i = 0; i < count; i++) {
        buf_add_char(line, ',');
        json_encode_string(str_of(fields[i].name), line);
        buf_add_char(line, ':');
        if (fields[i].is_raw) {
            buf_add(line, fields[i].value);
        } else {
            json_encode_string(fields[i].value, line);
        }
    }
    buf_add_char(line, '}');
}

static bool is_plain(Str value) {
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F) return false;
    }
    return value.len > 0;
}

/* Line breaks in a message would let a client forge lines: they become blanks. */
static void add_message(Buf *line, Str message) {
    for (size_t i = 0; i < message.len; i++) {
        unsigned char c = (unsigned char)message.data[i];
        buf_add_char(line, c < ' ' || c == 0x7F ? ' ' : (char)c);
    }
}

static void add_text(Buf *line, LogLevel level, Str message, const LogField *fields, size_t count,
                     const char *now) {
    buf_addf(line, "%s %-5s %s ", now, level_names[level], thread_name);
    add_message(line, message);
    for (size_t i = 0; i < count; i++) {
        buf_addf(line, " %s=", fields[i].name);
        if (fields[i].is_raw || is_plain(fields[i].value)) {
            buf_add(line, fields[i].value);
        } else {
            json_encode_string(fields[i].value, line);
        }
    }
}

void log_write(LogLevel level, Str message, const LogField *fields, size_t count) {
    if (!log_is_on(level)) return;
    if (sink_now != NULL) {
        sink_now(sink_context, level, message, fields, count);
        return;
    }
    char now[CLOCK_RFC3339_LEN + 1];
    clock_format_rfc3339(clock_wall_ms(), now);
    Buf line = BUF_NONE;
    if (line_format == LOG_JSON) {
        add_json(&line, level, message, fields, count, now);
    } else {
        add_text(&line, level, message, fields, count, now);
    }
    buf_add_char(&line, '\n');
    ssize_t written = write(STDERR_FILENO, line.data, line.len);
    (void)written; /* nobody is left to tell */
    buf_deinit(&line);
}

void log_line(LogLevel level, const char *format, ...) {
    if (!log_is_on(level)) return;
    char text[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0) return;
    size_t shown = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    log_write(level, str_make(text, shown), NULL, 0);
}
