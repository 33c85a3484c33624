/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of the files is one number: the sum of a hash of each one's path, size and time of change.
 */
#include "watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"

enum { LOOK_MS = 250, DEPTH_MAX = 8, FILES_MAX = 10000, PATH_SIZE = 4096 };

struct Watch {
    uv_timer_t timer;
    Str paths;
    WatchOnChange on_change;
    void *context;
    uint64_t known; /* of what was called back for */
    uint64_t last;  /* of the last look */
    unsigned files; /* of this look */
};

static bool is_lua(const char *name) {
    Str text = str_of(name);
    return text.len > 4 && str_equal(str_make(text.data + text.len - 4, 4), STR(".lua"));
}

static uint64_t mark_of(const char *path, const struct stat *stat) {
    char text[PATH_SIZE + 64];
    snprintf(text, sizeof text, "%s %lld %lld.%09ld", path, (long long)stat->st_size,
             (long long)stat->st_mtim.tv_sec, stat->st_mtim.tv_nsec);
    return map_hash(str_of(text));
}

static uint64_t look_into(Watch *watch, const char *folder, unsigned depth);

static uint64_t look_at(Watch *watch, const char *folder, const char *name, unsigned depth) {
    char path[PATH_SIZE];
    struct stat stat_of;
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (name[0] == '.' || len >= PATH_SIZE || stat(path, &stat_of) != 0) return 0;
    if (S_ISDIR(stat_of.st_mode)) return look_into(watch, path, depth + 1);
    if (!is_lua(name)) return 0;
    watch->files++;
    return mark_of(path, &stat_of);
}

static uint64_t look_into(Watch *watch, const char *folder, unsigned depth) {
    uint64_t sum = 0;
    DIR *dir = depth < DEPTH_MAX ? opendir(folder) : NULL;
    if (dir == NULL) return 0;
    const struct dirent *entry = readdir(dir);
    for (; entry != NULL && watch->files < FILES_MAX; entry = readdir(dir)) {
        sum += look_at(watch, folder, entry->d_name, depth);
    }
    closedir(dir);
    return sum;
}

/* A folder, or a file by itself. */
static uint64_t look_up(Watch *watch, const char *path) {
    struct stat stat_of;
    if (stat(path, &stat_of) != 0) return 0;
    return S_ISDIR(stat_of.st_mode) ? look_into(watch, path, 0) : mark_of(path, &stat_of);
}

static uint64_t look(Watch *watch) {
    uint64_t sum = 0;
    Str rest = watch->paths;
    bool has_more = true;
    watch->files = 0;
    while (has_more) {
        Str one;
        char path[PATH_SIZE];
        has_more = str_split(rest, ':', &one, &rest);
        snprintf(path, sizeof path, "%.*s", STR_ARG(one));
        if (one.len > 0) sum += look_up(watch, path);
    }
    return sum;
}

static void on_time(uv_timer_t *timer) {
    Watch *watch = timer->data;
    uint64_t now = look(watch);
    bool is_settled = now == watch->last;
    watch->last = now;
    if (!is_settled || now == watch->known) return;
    watch->known = now;
    watch->on_change(watch->context);
}

Watch *watch_open(uv_loop_t *loop, Str paths, WatchOnChange on_change, void *context) {
    Watch *watch = mem_zalloc(sizeof *watch);
    watch->paths = paths;
    watch->on_change = on_change;
    watch->context = context;
    watch->known = watch->last = look(watch);
    uv_timer_init(loop, &watch->timer);
    watch->timer.data = watch;
    uv_timer_start(&watch->timer, on_time, LOOK_MS, LOOK_MS);
    return watch;
}

static void on_closed(uv_handle_t *handle) {
    mem_free(handle->data);
}

void watch_close(Watch *watch) {
    if (watch != NULL) uv_close((uv_handle_t *)&watch->timer, on_closed);
}
