/* SPDX-License-Identifier: Apache-2.0
 *
 * A value is a double, kept as the bits of one in an atomic word. Adding is a loop of compare-and-exchange;
 * no order with other memory is needed, so all of it is relaxed. A reader may see a histogram whose count is
 * a moment ahead of its sum.
 */
#include "base/meters.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/ensure.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metrics.h"

typedef atomic_uint_least64_t Value;

typedef struct Family {
    List link;   /* in the set, in the order of declaring */
    List meters; /* in the order of coming */
    MeterKind kind;
    size_t bound_count;
    double bounds[METERS_BUCKETS_MAX];
    char *name;
    char *help;
} Family;

struct Meter {
    List link;
    Family *family;
    Str key; /* the family's name, a NUL, the labels; lies behind the values */
    Str labels;
    Value value;     /* or the sum of what a histogram observed */
    Value buckets[]; /* of a histogram: bound_count + 1 counts, the last one for what is beyond */
};

struct Meters {
    pthread_mutex_t lock; /* guards what follows, but for the values */
    List families;
    Map by_name;
    Map by_key;
    uint32_t series_max;
};

static Str name_of(const void *value) {
    return str_of(((const Family *)value)->name);
}

static Str key_of(const void *value) {
    return ((const Meter *)value)->key;
}

static double load(const Value *value) {
    uint64_t bits = atomic_load_explicit(value, memory_order_relaxed);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint64_t bits_of(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static void add(Value *value, double amount) {
    uint64_t before = atomic_load_explicit(value, memory_order_relaxed);
    uint64_t after;
    do {
        double number;
        memcpy(&number, &before, sizeof number);
        after = bits_of(number + amount);
    } while (!atomic_compare_exchange_weak_explicit(value, &before, after, memory_order_relaxed,
                                                    memory_order_relaxed));
}

void meters_add(Meter *meter, double amount) {
    add(&meter->value, amount);
}

void meters_set(Meter *meter, double value) {
    atomic_store_explicit(&meter->value, bits_of(value), memory_order_relaxed);
}

void meters_observe(Meter *meter, double value) {
    const Family *family = meter->family;
    size_t i = 0;
    while (i < family->bound_count && !(value <= family->bounds[i])) i++;
    add(&meter->value, value);
    add(&meter->buckets[i], 1);
}

Meters *meters_new(uint32_t series_max) {
    Meters *meters = mem_zalloc(sizeof *meters);
    ensure(pthread_mutex_init(&meters->lock, NULL) == 0);
    list_init(&meters->families);
    map_init(&meters->by_name, name_of);
    map_init(&meters->by_key, key_of);
    meters->series_max = series_max;
    return meters;
}

static void free_family(Family *family) {
    while (!list_is_empty(&family->meters)) {
        Meter *meter = list_entry(family->meters.next, Meter, link);
        list_remove(&meter->link);
        mem_free(meter);
    }
    mem_free(family->name);
    mem_free(family->help);
    mem_free(family);
}

void meters_free(Meters *meters) {
    if (meters == NULL) return;
    while (!list_is_empty(&meters->families)) {
        Family *family = list_entry(meters->families.next, Family, link);
        list_remove(&family->link);
        free_family(family);
    }
    metrics_add(METRIC_plugin_series, -(int64_t)meters->by_key.count);
    map_deinit(&meters->by_name);
    map_deinit(&meters->by_key);
    pthread_mutex_destroy(&meters->lock);
    mem_free(meters);
}

static bool is_alike(const Family *family, const MeterFamily *wanted) {
    size_t size = wanted->bound_count * sizeof *wanted->bounds;
    return family->kind == wanted->kind && family->bound_count == wanted->bound_count &&
           (size == 0 || memcmp(family->bounds, wanted->bounds, size) == 0);
}

static int declare(Meters *meters, const MeterFamily *wanted) {
    const Family *found = map_find(&meters->by_name, wanted->name);
    if (found != NULL) return is_alike(found, wanted) ? 0 : ERR_EXISTS;
    Family *family = mem_zalloc(sizeof *family);
    list_init(&family->meters);
    family->kind = wanted->kind;
    family->name = mem_copy(wanted->name.data, wanted->name.len);
    family->help = mem_copy(wanted->help.data, wanted->help.len);
    family->bound_count = wanted->bound_count;
    for (size_t i = 0; i < wanted->bound_count; i++) family->bounds[i] = wanted->bounds[i];
    list_add(&meters->families, &family->link);
    map_add(&meters->by_name, family);
    return 0;
}

int meters_declare(Meters *meters, const MeterFamily *wanted) {
    ensure(wanted->bound_count <= METERS_BUCKETS_MAX);
    pthread_mutex_lock(&meters->lock);
    int err = declare(meters, wanted);
    pthread_mutex_unlock(&meters->lock);
    return err;
}

static Meter *add_meter(Meters *meters, Family *family, Str key, Str labels) {
    size_t counts = family->kind == METERS_HISTOGRAM ? family->bound_count + 1 : 0;
    Meter *meter = mem_zalloc(sizeof *meter + counts * sizeof(Value) + key.len);
    char *text = (char *)&meter->buckets[counts];
    memcpy(text, key.data, key.len);
    meter->family = family;
    meter->key = str_make(text, key.len);
    meter->labels = str_make(text + key.len - labels.len, labels.len);
    list_add(&family->meters, &meter->link);
    map_add(&meters->by_key, meter);
    metrics_add(METRIC_plugin_series, 1);
    return meter;
}

static int find(Meters *meters, Str name, Str key, Str labels, Meter **out) {
    Meter *meter = map_find(&meters->by_key, key);
    if (meter == NULL) {
        Family *family = map_find(&meters->by_name, name);
        if (family == NULL) return ERR_NOT_FOUND;
        if (meters->by_key.count >= meters->series_max) return ERR_LIMIT;
        meter = add_meter(meters, family, key, labels);
    }
    *out = meter;
    return 0;
}

int meters_find(Meters *meters, Str name, Str labels, Meter **out) {
    Buf key = BUF_NONE;
    buf_add(&key, name);
    buf_add_char(&key, '\0');
    buf_add(&key, labels);
    pthread_mutex_lock(&meters->lock);
    int err = find(meters, name, buf_str(&key), labels, out);
    pthread_mutex_unlock(&meters->lock);
    buf_deinit(&key);
    if (err == ERR_LIMIT) metrics_add(METRIC_limit_hits_total, 1);
    return err;
}

static void encode_number(Buf *out, double number) {
    if (isfinite(number) && number == floor(number) && fabs(number) < 1e15) {
        buf_addf(out, "%.0f", number);
    } else if (isnan(number)) {
        buf_add(out, STR("NaN"));
    } else if (isinf(number)) {
        buf_add(out, number > 0 ? STR("+Inf") : STR("-Inf"));
    } else {
        buf_addf(out, "%.15g", number);
    }
}

static void encode_line(Buf *out, const Meter *meter, const char *suffix, double value) {
    buf_addf(out, "chatty_plugin_%s%s{%.*s} ", meter->family->name, suffix, STR_ARG(meter->labels));
    encode_number(out, value);
    buf_add_char(out, '\n');
}

static void encode_bucket(Buf *out, const Meter *meter, double bound, double count) {
    const char *comma = meter->labels.len > 0 ? "," : "";
    buf_addf(out, "chatty_plugin_%s_bucket{%.*s%sle=\"", meter->family->name, STR_ARG(meter->labels),
             comma);
    if (isinf(bound)) {
        buf_add(out, STR("+Inf"));
    } else {
        buf_addf(out, "%.10g", bound);
    }
    buf_add(out, STR("\"} "));
    encode_number(out, count);
    buf_add_char(out, '\n');
}

static void encode_histogram(Buf *out, const Meter *meter) {
    const Family *family = meter->family;
    double count = 0;
    for (size_t i = 0; i <= family->bound_count; i++) {
        count += load(&meter->buckets[i]);
        encode_bucket(out, meter, i < family->bound_count ? family->bounds[i] : INFINITY, count);
    }
    encode_line(out, meter, "_sum", load(&meter->value));
    encode_line(out, meter, "_count", count);
}

static void encode_family(Buf *out, const Family *family) {
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    if (list_is_empty(&family->meters)) return;
    buf_addf(out, "# HELP chatty_plugin_%s %s\n# TYPE chatty_plugin_%s %s\n", family->name,
             family->help, family->name, kinds[family->kind]);
    for (const List *at = family->meters.next; at != &family->meters; at = at->next) {
        const Meter *meter = list_entry(at, const Meter, link);
        if (family->kind == METERS_HISTOGRAM) {
            encode_histogram(out, meter);
        } else {
            encode_line(out, meter, "", load(&meter->value));
        }
    }
}

void meters_encode(Meters *meters, Buf *out) {
    pthread_mutex_lock(&meters->lock);
    for (const List *at = meters->families.next; at != &meters->families; at = at->next) {
        encode_family(out, list_entry(at, const Family, link));
    }
    pthread_mutex_unlock(&meters->lock);
}
