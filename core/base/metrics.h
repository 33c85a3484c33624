/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics: counts of what happens, one block per thread. The owner of a block counts in it without
 * a lock or a locked instruction; anybody may read the sum. A gauge is a count that also goes down,
 * so a single block may hold a negative share of it. Blocks live as long as the process.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

/* name, Prometheus type, help */
#define METRIC_MAP(X)                                                                               \
    X(connections, gauge, "Open TCP connections.")                                                  \
    X(sessions, gauge, "Live sessions.")                                                            \
    X(sessions_opened_total, counter, "Sessions that became live.")                                 \
    X(sockets, gauge, "Open WebSockets, sessions and plugins' own.")                                \
    X(streams, gauge, "Open event streams (Server-Sent Events).")                                   \
    X(polling, gauge, "Connections of Engine.IO that poll.")                                        \
    X(polls_waiting, gauge, "Requests of polling clients that wait for something to send.")         \
    X(users_online, gauge, "Users with a live session.")                                            \
    X(channels_live, gauge, "Channels with a live user, summed over the workers.")                  \
    X(subscriptions, gauge, "Standing subscriptions.")                                              \
    X(http_requests_total, counter, "HTTP requests answered.")                                      \
    X(http_errors_total, counter, "HTTP requests answered with 4xx or 5xx.")                        \
    X(http_refused_total, counter, "HTTP requests refused before routing: malformed or too large.") \
    X(notifies_total, counter, "Events emitted.")                                                   \
    X(deliveries_total, counter, "Frames queued for sessions by fan-out.")                          \
    X(history_events, gauge, "Events kept by channels.")                                            \
    X(history_bytes, gauge, "Bytes of the events kept, and of what it takes to keep them.")         \
    X(history_written_total, counter, "Events of durable channels that were written to the store.") \
    X(history_restored_total, counter, "Events of before that a start found in the store.")         \
    X(replayed_total, counter, "Events brought to sessions that had missed them.")                  \
    X(acks_total, counter, "Events that sessions confirmed.")                                       \
    X(gaps_total, counter, "Sessions told that not all they missed could be brought.")              \
    X(dropped_total, counter, "Events that a session did not get.")                                 \
    X(superseded_total, counter, "Events dropped from slow queues for a newer one of their key.")   \
    X(expired_total, counter, "Events dropped from slow queues when their ttl was over.")           \
    X(dropped_untold_total, counter, "Of these, not told to the hook dropped.")                     \
    X(slow_readers_total, counter, "Sessions closed because their queue was full.")                 \
    X(frames_received_total, counter, "Frames received from clients.")                              \
    X(bytes_received_total, counter, "Bytes received.")                                             \
    X(bytes_sent_total, counter, "Bytes handed to the kernel.")                                     \
    X(queue_bytes, gauge, "Bytes waiting for slow clients.")                                        \
    X(request_bytes, gauge, "Bytes of request bodies in memory.")                                   \
    X(limit_hits_total, counter, "Times a limit refused or closed something.")                      \
    X(http_calls, gauge, "Requests of plugins to other servers that run.")                          \
    X(http_calls_waiting, gauge, "Requests of plugins to other servers that wait for their turn.")  \
    X(http_calls_total, counter, "Requests of plugins to other servers.")                           \
    X(http_call_failures_total, counter, "Those of them that got no answer.")                       \
    X(http_call_bytes, gauge, "Bodies of requests of plugins in memory, both ways.")                \
    X(plugin_series, gauge, "Series that plugins count in.")                                        \
    X(shared_entries, gauge, "Entries of the shared dictionary.")                                   \
    X(shared_bytes, gauge, "Bytes of the shared dictionary.")                                       \
    X(tasks, gauge, "Lua handlers that run or wait.")                                               \
    X(jobs, gauge, "Work off the loops (passwords) that runs or waits.")                            \
    X(lua_states, gauge, "Lua states; more than workers while handlers finish after a reload.")     \
    X(reloads_total, counter, "Reloads carried out.")                                               \
    X(reload_failures_total, counter, "Reloads that kept the running plugins.")                     \
    X(reload_generation, gauge, "Generation of the running plugins, from 1.")                       \
    X(reload_ok, gauge, "0 when the last reload failed, else 1.")                                   \
    X(script_errors_total, counter, "Errors raised in Lua handlers.")                               \
    X(script_overruns_total, counter, "Plugins' handlers stopped for their time or memory.")        \
    X(script_memory_bytes, gauge, "Memory of the Lua states.")                                      \
    X(plugins_parked_total, counter, "Plugins parked for their overruns.")                          \
    X(changes_total, counter, "Subscribe and unsubscribe calls committed.")                         \
    X(token_failures_total, counter, "Tokens refused.")                                             \
    X(login_failures_total, counter, "Logins with a wrong password or an unknown name.")

typedef enum {
#define METRIC_ENUM(name, type, help) METRIC_##name,
    METRIC_MAP(METRIC_ENUM)
#undef METRIC_ENUM
        METRIC_COUNT
} Metric;

enum { METRICS_BLOCKS_MAX = 300 };

/* The calling thread's block from now on. Call once per thread that counts; a thread that did not
 * counts in a block of its own that all such threads share by atomic add. */
void metrics_join(void);

void metrics_add(Metric metric, int64_t amount); /* of the calling thread's block */
int64_t metrics_sum(Metric metric);

/* Appends all sums in the Prometheus text format, each name with the prefix "chatty_". */
void metrics_encode(Buf *out);

#endif
