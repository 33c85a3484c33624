/* SPDX-License-Identifier: Apache-2.0 */
#include "commons.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "data/secret_record.h"
#include "hub/journal.h"

static void start_history(Commons *commons) {
    history_free(commons->bus.history);
    commons->bus.history = history_new((uint64_t)clock_wall_ms(), commons->config->history_bytes_max);
}

void commons_init(Commons *commons, const Config *config) {
    *commons = (Commons){.config = config};
    bus_init(&commons->bus);
    commons->bus.worker_count = config->workers;
    start_history(commons);
    commons->shared = shared_new(&config->shared);
    commons->meters = meters_new(config->metric_series_max);
    keyring_init(&commons->keys, config->tokens);
    revocations_init(&commons->revocations);
}

/* One that cannot be understood is as good as none. */
static int load_history(Commons *commons) {
    int err = journal_load(commons->store, api_encoders(), commons->bus.history);
    if (err != ERR_INVALID) return err;
    log_line(LOG_WARN, "the history in the store is not whole: the events of before are forgotten");
    start_history(commons);
    return 0;
}

int commons_open_store(Commons *commons) {
    const char *url = config_get(commons->config, "STORE");
    int err = store_open(str_of(url), true, &commons->store);
    if (err == 0) {
        Str configured = str_of(config_get(commons->config, "JWT_SECRET"));
        err = secret_record_load(commons->store, configured, &commons->keys);
    }
    if (err == 0) err = revocations_load(&commons->revocations, commons->store);
    if (err == 0) err = load_history(commons);
    if (err != 0) log_line(LOG_ERROR, "cannot open the store %s: %s", url, err_text(err));
    return err;
}

int commons_start_jobs(Commons *commons) {
    const Config *config = commons->config;
    int err = job_start(config->password_threads, config->password_jobs_max, &commons->jobs);
    if (err != 0) log_line(LOG_ERROR, "cannot start the threads of the jobs: %s", err_text(err));
    return err;
}

void commons_deinit(Commons *commons) {
    if (commons->store != NULL) store_close(commons->store);
    keyring_deinit(&commons->keys);
    revocations_deinit(&commons->revocations);
    job_free(commons->jobs);
    shared_free(commons->shared);
    meters_free(commons->meters);
    history_free(commons->bus.history);
    bus_deinit(&commons->bus);
}
