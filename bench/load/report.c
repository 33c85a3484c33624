/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"

static const double US_PER_SECOND = 1e6;
static const double NS_PER_US = 1e3;
static const double BYTES_PER_MB = 1e6;

bool report_is_good(const Report *report) {
    return report->trouble == NULL && report->lost == 0 && report->repeated == 0 &&
           report->strange == 0 && report->disordered == 0 && report->received == report->expected;
}

static double each_us(double seconds, uint64_t count) {
    return count > 0 ? seconds * US_PER_SECOND / (double)count : 0;
}

static double per_second(const ReportPhase *phase) {
    return phase->seconds > 0 ? (double)phase->count / phase->seconds : 0;
}

static double find_us(const Histogram *histogram, double share) {
    return (double)histogram_find(histogram, share) / NS_PER_US;
}

static void print_phase(const Report *report, const char *name, const char *noun,
                        const ReportPhase *phase) {
    if (phase->count == 0) return;
    printf("%-12s %12llu %s, %.0f/s", name, (unsigned long long)phase->count, noun, per_second(phase));
    if (report->pid != 0) {
        printf(", CPU %.2f us each (%.2f of it user)", each_us(phase->cpu.seconds, phase->count),
               each_us(phase->cpu.user_seconds, phase->count));
    }
    putchar('\n');
}

static void print_times(const char *name, const Histogram *histogram) {
    if (histogram->count == 0) return;
    printf("%-12s p50 %.3f ms, p90 %.3f ms, p99 %.3f ms, max %.3f ms\n", name,
           find_us(histogram, 0.5) / 1000, find_us(histogram, 0.9) / 1000,
           find_us(histogram, 0.99) / 1000, find_us(histogram, 1) / 1000);
}

static void print_idle(const Report *report) {
    if (report->pid == 0 || report->idle.count == 0 || report->idle.seconds <= 0) return;
    printf("%-12s %12llu sessions, %.0f bytes of memory each, %.4f of a core together\n", "idle",
           (unsigned long long)report->idle.count, report->session_bytes,
           report->idle.cpu.seconds / report->idle.seconds);
}

static void print_check(const Report *report) {
    printf("%-12s %12llu of %llu events received; %llu lost, %llu repeated, %llu sessions in another "
           "order\n",
           report_is_good(report) ? "good" : "NOT GOOD", (unsigned long long)report->received,
           (unsigned long long)report->expected, (unsigned long long)report->lost,
           (unsigned long long)(report->repeated + report->strange),
           (unsigned long long)report->disordered);
}

void report_print(const Report *report, const Plan *plan) {
    char pace[64] = "flat out";
    if (plan->rate > 0) snprintf(pace, sizeof pace, "%g events a second", plan->rate);
    printf("%d sessions, %d channels, %d publishers, %s, %d bytes\n", plan->sessions, plan->channels,
           plan->publishers, pace, plan->size);
    print_phase(report, "fill", "subscriptions", &report->fill);
    print_phase(report, "subscribe", "subscriptions", &report->subscribe);
    print_phase(report, "connect", "sessions", &report->connect);
    print_idle(report);
    print_phase(report, "notify", "events", &report->notify);
    print_times("answers", &report->answers);
    print_phase(report, "deliver", "deliveries", &report->deliver);
    print_times("latency", &report->latencies);
    if (plan->slow > 0) {
        printf("%-12s %12d sessions, %llu of them closed by the server, %.1f MB of memory at most\n",
               "slow", plan->slow, (unsigned long long)report->slow_cut,
               (double)report->peak_bytes / BYTES_PER_MB);
    }
    print_phase(report, "replay", "sessions", &report->replay);
    print_phase(report, "unsubscribe", "subscriptions", &report->unsubscribe);
    if (report->has_left) print_phase(report, "leave", "sessions", &report->leave);
    if (plan->rest > 0) {
        printf(
            "%-12s %12.1f MB of memory before the sessions, %.1f with them, %.1f when they had left\n",
            "rest", (double)report->start_bytes / BYTES_PER_MB,
            (double)report->full_bytes / BYTES_PER_MB, (double)report->rest_bytes / BYTES_PER_MB);
    }
    if (report->pid == 0) puts("CPU and memory of the server are not known: --pid names its process");
    print_check(report);
    if (report->trouble != NULL) printf("%-12s %s\n", "trouble", report->trouble);
}

static void add_phase(const Report *report, Buf *out, const char *name, const ReportPhase *phase) {
    buf_addf(out, ",\"%s\":{\"count\":%llu,\"seconds\":%.6f,\"per_second\":%.1f", name,
             (unsigned long long)phase->count, phase->seconds, per_second(phase));
    if (report->pid != 0) {
        buf_addf(out, ",\"cpu_us\":%.4f,\"user_us\":%.4f,\"cpu_seconds\":%.6f",
                 each_us(phase->cpu.seconds, phase->count),
                 each_us(phase->cpu.user_seconds, phase->count), phase->cpu.seconds);
    }
    buf_add_char(out, '}');
}

static void add_times(Buf *out, const char *name, const Histogram *histogram) {
    buf_addf(out, ",\"%s\":{\"count\":%llu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name,
             (unsigned long long)histogram->count, find_us(histogram, 0.5), find_us(histogram, 0.9),
             find_us(histogram, 0.99), find_us(histogram, 1));
}

static void add_check(const Report *report, Buf *out) {
    buf_addf(out, ",\"check\":{\"expected\":%llu,\"received\":%llu,\"lost\":%llu,\"repeated\":%llu",
             (unsigned long long)report->expected, (unsigned long long)report->received,
             (unsigned long long)report->lost,
             (unsigned long long)(report->repeated + report->strange));
    buf_addf(out, ",\"disordered\":%llu,\"good\":%s}", (unsigned long long)report->disordered,
             report_is_good(report) ? "true" : "false");
}

void report_print_json(const Report *report, const Plan *plan) {
    Buf out = BUF_NONE;
    buf_addf(
        &out,
        "{\"sessions\":%d,\"channels\":%d,\"publishers\":%d,\"pipeline\":%d,\"rate\":%g,\"size\":%d",
        plan->sessions, plan->channels, plan->publishers, plan->pipeline, plan->rate, plan->size);
    add_phase(report, &out, "fill", &report->fill);
    add_phase(report, &out, "subscribe", &report->subscribe);
    add_phase(report, &out, "connect", &report->connect);
    add_phase(report, &out, "idle", &report->idle);
    if (report->pid != 0) {
        buf_addf(&out,
                 ",\"memory\":{\"fill_bytes\":%lld,\"session_bytes\":%.1f,\"replay_bytes\":%lld,\"peak_"
                 "bytes\":%lld,\"start_bytes\":%lld,\"full_bytes\":%lld,\"rest_bytes\":%lld}",
                 (long long)report->fill_bytes, report->session_bytes, (long long)report->replay_bytes,
                 (long long)report->peak_bytes, (long long)report->start_bytes,
                 (long long)report->full_bytes, (long long)report->rest_bytes);
    }
    add_phase(report, &out, "notify", &report->notify);
    add_times(&out, "answer_us", &report->answers);
    add_phase(report, &out, "deliver", &report->deliver);
    add_times(&out, "latency_us", &report->latencies);
    if (plan->slow > 0) {
        buf_addf(&out, ",\"slow\":{\"count\":%d,\"cut\":%llu}", plan->slow,
                 (unsigned long long)report->slow_cut);
    }
    if (plan->replay > 0) add_phase(report, &out, "replay", &report->replay);
    if (plan->unsubscribe) add_phase(report, &out, "unsubscribe", &report->unsubscribe);
    if (report->has_left) add_phase(report, &out, "leave", &report->leave);
    add_check(report, &out);
    if (report->trouble != NULL) {
        buf_add(&out, STR(",\"trouble\":"));
        json_encode_string(str_of(report->trouble), &out);
    }
    printf("%.*s}\n", STR_ARG(buf_str(&out)));
    buf_deinit(&out);
}
