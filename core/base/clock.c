/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/ensure.h"

static bool is_held;
static int64_t held_wall_ms;
static uint64_t held_monotonic_ms;

enum { MS_NS = 1000000 };

static struct timespec read_clock(clockid_t id) {
    struct timespec now;
    ensure(clock_gettime(id, &now) == 0);
    return now;
}

static int64_t read_ms(clockid_t id) {
    struct timespec now = read_clock(id);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / MS_NS;
}

uint64_t clock_monotonic_ms(void) {
    if (is_held) return held_monotonic_ms;
    return (uint64_t)read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_deadline_ms(uint64_t delay_ms) {
    if (is_held) return held_monotonic_ms + delay_ms;
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)(now.tv_nsec + MS_NS - 1) / MS_NS + delay_ms;
}

int64_t clock_wall_ms(void) {
    return is_held ? held_wall_ms : read_ms(CLOCK_REALTIME);
}

void clock_hold(int64_t wall_ms, uint64_t monotonic_ms) {
    is_held = true;
    held_wall_ms = wall_ms;
    held_monotonic_ms = monotonic_ms;
}

void clock_move(uint64_t ms) {
    held_wall_ms += (int64_t)ms;
    held_monotonic_ms += ms;
}

bool clock_is_held(void) {
    return is_held;
}

void clock_release(void) {
    is_held = false;
}

static struct tm utc(int64_t wall_ms) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    ensure(gmtime_r(&seconds, &parts) != NULL);
    return parts;
}

/* The digits of the number, and what stands behind it. */
static char *put(char *at, int number, int digits, char behind) {
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    at[digits] = behind;
    return at + digits + 1;
}

/* By hand, as every session is told a time: printf takes eight times as long. */
void clock_format_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_LEN + 1]) {
    struct tm parts = utc(wall_ms);
    char *at = put(out, parts.tm_year + 1900, 4, '-');
    at = put(put(at, parts.tm_mon + 1, 2, '-'), parts.tm_mday, 2, 'T');
    at = put(put(at, parts.tm_hour, 2, ':'), parts.tm_min, 2, ':');
    at = put(put(at, parts.tm_sec, 2, '.'), (int)(wall_ms % 1000), 3, 'Z');
    *at = '\0';
}

void clock_format_http(int64_t wall_ms, char out[CLOCK_HTTP_LEN + 1]) {
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm parts = utc(wall_ms);
    char text[80];
    snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + parts.tm_wday * 3,
             parts.tm_mday, months + parts.tm_mon * 3, parts.tm_year + 1900, parts.tm_hour,
             parts.tm_min, parts.tm_sec);
    snprintf(out, CLOCK_HTTP_LEN + 1, "%.*s", CLOCK_HTTP_LEN, text);
}
