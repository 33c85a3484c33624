/* SPDX-License-Identifier: Apache-2.0
 *
 * config: the settings, read once by lua/settings/options.lua from .env, environment and flags, before the
 * threads start; read only from then on. Lua knows names, types, defaults and bounds; here are the
 * values that C needs, and all of them as text for the workers' Lua states.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "api/api.h"
#include "base/log.h"
#include "hub/roster.h"
#include "net/net.h"

typedef struct Config {
    Setting *settings; /* all */
    size_t setting_count;
    char *home; /* the folder with lua/ and plugins/ */
    char node_name[128];
    const char *trial; /* NULL but in a trial: what it wants, for the Lua half; borrowed */
    uint16_t port;
    unsigned workers;
    LogLevel log_level;
    LogFormat log_format;
    NetLimits net; /* per worker: node-wide limits are divided */
    RosterLimits roster;
    SharedLimits shared;
    uint32_t metric_series_max;
    uint32_t dropped_max; /* of each worker */
    uint64_t history_bytes_max;
    uint32_t replay_max; /* events */
    uint64_t trace_bytes_max;
    HttpClientLimits http; /* per worker, as net */
    ScriptLimits script;   /* per worker */
    uint32_t expiring_notice_ms;
    uint32_t json_depth_max;
    uint32_t stop_timeout_ms;
    uint32_t stop_spread_ms; /* at most half of it */
    uint32_t stop_delay_ms;
    uint32_t reload_timeout_ms;
    uint32_t reload_old_max;    /* Lua states of a worker that finish what they began */
    bool is_watching;           /* reload when a file of a plugin changes */
    uint32_t password_jobs_max; /* running or waiting */
    unsigned password_threads;
    int64_t jwt_leeway_s;
    TokenPolicy *tokens; /* NULL until config_open_tokens, and when no key is configured */
} Config;

/* Finds the folder that holds lua/init.lua: CHATTY_HOME, beside or above the program, the build's own.
 * Gives. */
char *config_find_home(void);

/* Fills the config from the table of texts (name -> text) on top of the script's stack, as options.read
 * made it. On failure one line for people is written to stderr. */
WARN_UNUSED int config_init(Config *config, Script *script, const char *home);
void config_deinit(Config *config);

/* Reads the key files and makes config->tokens; NULL stays when no key is configured. On failure one line
 * for people is written to stderr. */
WARN_UNUSED int config_open_tokens(Config *config);

/* The text of a setting; it must exist. */
const char *config_get(const Config *config, const char *name);

#endif
