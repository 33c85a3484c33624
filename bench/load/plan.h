/* SPDX-License-Identifier: Apache-2.0
 *
 * plan: what the command line asks for: which server, how to speak with it, and what to do there. The
 * defaults are chatty's. All texts are borrowed from the command line, the environment or literals.
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum { PLAN_STEPS_MAX = 8 };

/* What the start of a session consists of, in order: frames that are sent, texts that a frame must hold. */
typedef struct PlanStep {
    bool is_send;
    Str text;
} PlanStep;

typedef struct Plan {
    /* the server */
    const char *host;
    int port;
    int pid;                    /* 0: not known, so nothing is said about CPU and memory */
    char **command;             /* NULL: it runs already */
    int server_core, load_core; /* -1: any */
    Str secret, key;
    Str algorithm, issuer, audience; /* of tokens; the last two may be empty */

    /* how to speak with it: texts with places, which --help lists */
    Str connect_path, connect_header;
    Str reconnect_path; /* of those who come back for what they missed */
    bool stream;        /* Server-Sent Events in place of a WebSocket */
    PlanStep steps[PLAN_STEPS_MAX];
    int step_count;
    Str ping, pong;                     /* a text frame that asks, and the answer to it; empty: none */
    Str subscribe_path, subscribe_body; /* an empty path: sessions are subscribed by connecting */
    Str unsubscribe_path;               /* with the same body */
    Str publish_path, publish_body, publish_header;

    /* what to do */
    int sessions, channels, subscriptions; /* subscriptions of each user, one of them to the channel */
    int slow; /* of the sessions: those that read nothing once they are connected */
    int fill_users, fill_channels; /* that are there too and get nothing */
    int fill_each;                 /* channels of each of them; 0: so that each channel has one */
    bool unsubscribe;              /* after notifying */
    int replay;                    /* events of each channel that all miss, and come back for */
    int publishers, pipeline, size;
    double rate; /* events a second; 0: flat out */
    double warmup, seconds, idle, rest;
    double patience; /* seconds without any progress, after which it gives up */

    bool json, quiet;
} Plan;

/* Reads the arguments behind the program's name. ERR_INVALID: it has said what is wrong on stderr;
 * ERR_CANCELED: help was asked for and given. */
WARN_UNUSED int plan_parse(Plan *plan, char **argv);

#endif
