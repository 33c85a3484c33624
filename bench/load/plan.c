/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stamp.h"

typedef enum Kind {
    KIND_SWITCH,
    KIND_NUMBER,
    KIND_REAL,
    KIND_TEXT,
    KIND_SEND,
    KIND_AWAIT,
    KIND_URL
} Kind;

typedef struct Flag {
    const char *name, *value, *doc;
    Kind kind;
    size_t offset; /* of the member of Plan */
    double min, max;
} Flag;

#define AT(member) offsetof(Plan, member)

static const Flag flags[] = {
    {"url", "URL", "A server that runs, http://HOST:PORT; default: one of its own.", KIND_URL, 0, 0, 0},
    {"pid", "PID", "Its process on this machine, for CPU and memory.", KIND_NUMBER, AT(pid), 1,
     1 << 30},
    {"server-core", "N", "Pins a server of its own to a core.", KIND_NUMBER, AT(server_core), -1, 1023},
    {"load-core", "N", "Pins the load to a core.", KIND_NUMBER, AT(load_core), -1, 1023},
    {"sessions", "N", "Sessions to connect, each of a user of its own (1000).", KIND_NUMBER,
     AT(sessions), 0, 1000000},
    {"channels", "N", "Channels over which they are spread (1).", KIND_NUMBER, AT(channels), 1,
     1000000},
    {"subscriptions", "N", "Subscriptions of each user, one of them to the channel (1).", KIND_NUMBER,
     AT(subscriptions), 1, 1000},
    {"slow", "N", "Of these, sessions that read nothing once they are connected (0).", KIND_NUMBER,
     AT(slow), 0, 1000000},
    {"fill-users", "N", "Further users with standing subscriptions, who get nothing (0).", KIND_NUMBER,
     AT(fill_users), 0, 10000000},
    {"fill-channels", "N", "The channels that these are subscribed to (0).", KIND_NUMBER,
     AT(fill_channels), 0, 10000000},
    {"fill-each", "N", "The channels of each of them (as many as give each channel one user).",
     KIND_NUMBER, AT(fill_each), 1, 10000},
    {"unsubscribe", NULL, "Unsubscribes the sessions when all is notified.", KIND_SWITCH,
     AT(unsubscribe), 0, 0},
    {"replay", "N", "Cuts all, notifies each channel N times, and lets all come back for it (0).",
     KIND_NUMBER, AT(replay), 0, 100000},
    {"publishers", "N", "Keep-alive connections that notify (1).", KIND_NUMBER, AT(publishers), 1,
     STAMP_PUBLISHERS_MAX - 1},
    {"pipeline", "N", "Requests under way on each of them (1).", KIND_NUMBER, AT(pipeline), 1, 1000},
    {"rate", "N", "Events a second of all publishers; 0: flat out (0).", KIND_REAL, AT(rate), 0, 1e7},
    {"size", "BYTES", "Bytes of an event, {\"event\":...} (128).", KIND_NUMBER, AT(size), 0, 1 << 24},
    {"warmup", "SECONDS", "Notifies before that are checked but not measured (0.5).", KIND_REAL,
     AT(warmup), 0, 3600},
    {"seconds", "SECONDS", "How long to notify; 0: not at all (5).", KIND_REAL, AT(seconds), 0, 86400},
    {"idle", "SECONDS", "How long to watch idle sessions (1).", KIND_REAL, AT(idle), 0, 86400},
    {"rest", "SECONDS", "How long to wait when all have left, for the memory of then (0).", KIND_REAL,
     AT(rest), 0, 86400},
    {"patience", "SECONDS", "Gives up when nothing moves for so long (10).", KIND_REAL, AT(patience),
     0.1, 3600},
    {"json", NULL, "Prints one JSON object.", KIND_SWITCH, AT(json), 0, 0},
    {"quiet", NULL, "Shows no progress on stderr.", KIND_SWITCH, AT(quiet), 0, 0},
    {"connect-path", "TEXT", "Of the WebSocket. Places: {user} {token} {channel}.", KIND_TEXT,
     AT(connect_path), 0, 0},
    {"reconnect-path", "TEXT", "The same for --replay; {after} is the last id that the session got.",
     KIND_TEXT, AT(reconnect_path), 0, 0},
    {"stream", NULL, "Sessions are Server-Sent Events, not WebSockets.", KIND_SWITCH, AT(stream), 0, 0},
    {"connect-header", "TEXT", "A header line of the handshake; the same places.", KIND_TEXT,
     AT(connect_header), 0, 0},
    {"send", "TEXT", "A frame to send when connected; the same places. With --await, in their order.",
     KIND_SEND, 0, 0, 0},
    {"await", "TEXT", "What a frame must hold before a session counts as connected; may be empty.",
     KIND_AWAIT, 0, 0, 0},
    {"ping", "TEXT", "A text frame that --pong is the answer to.", KIND_TEXT, AT(ping), 0, 0},
    {"pong", "TEXT", "", KIND_TEXT, AT(pong), 0, 0},
    {"subscribe-path", "TEXT", "Of the POST that subscribes {users}; empty: connecting subscribes.",
     KIND_TEXT, AT(subscribe_path), 0, 0},
    {"subscribe-body", "TEXT", "Its body. Places: {users} {channel} {resources} {key}.", KIND_TEXT,
     AT(subscribe_body), 0, 0},
    {"unsubscribe-path", "TEXT", "Of the POST that unsubscribes them; its body is the same.", KIND_TEXT,
     AT(unsubscribe_path), 0, 0},
    {"publish-path", "TEXT", "Of the POST that notifies. Places: {channel} {key}.", KIND_TEXT,
     AT(publish_path), 0, 0},
    {"publish-body", "TEXT", "Its body. Places: {channel} {event} {attributes}.", KIND_TEXT,
     AT(publish_body), 0, 0},
    {"publish-header", "TEXT", "A header line of both. Places: {channel} {key}.", KIND_TEXT,
     AT(publish_header), 0, 0},
};

enum { FLAG_COUNT = sizeof flags / sizeof flags[0] };

/* STR is no constant in C11. */
#define TEXT(literal) \
    { "" literal, sizeof(literal) - 1 }

static const Plan defaults = {
    .host = "127.0.0.1",
    .server_core = -1,
    .load_core = -1,
    .connect_path = TEXT("/ws"),
    .reconnect_path = TEXT("/ws?after={after}"),
    .connect_header = TEXT("Authorization: Bearer {token}"),
    .steps = {{false, TEXT("chatty:connected")}},
    .step_count = 1,
    .subscribe_path = TEXT("/control/subscription/subscribe?method=users:{users}"),
    .subscribe_body = TEXT("{\"data\":[{resources}]}"),
    .unsubscribe_path = TEXT("/control/subscription/unsubscribe?method=users:{users}"),
    .publish_path = TEXT("/control/notify?method=channels:{channel}"),
    .publish_body = TEXT("{event}"),
    .publish_header = TEXT("X-API-Key: {key}"),
    .sessions = 1000,
    .channels = 1,
    .subscriptions = 1,
    .publishers = 1,
    .pipeline = 1,
    .size = 128,
    .warmup = 0.5,
    .seconds = 5,
    .idle = 1,
    .patience = 10,
};

static int complain(const char *what, const char *value) {
    fprintf(stderr, "chatty-bench: %s%s%s (--help lists the flags)\n", what, value ? " " : "",
            value ? value : "");
    return ERR_INVALID;
}

static void print_help(void) {
    puts("usage: chatty-bench [FLAG]... [-- COMMAND [ARGUMENT]...]\n\n"
         "Connects sessions, subscribes them, notifies, and checks that each got every event once and "
         "in\n"
         "order. The COMMAND starts a server of its own, in an empty folder: {port} is filled in.\n"
         "JWT_SECRET, JWT_ALGORITHM, JWT_ISSUER, JWT_AUDIENCE and CONTROL_KEY are read from the "
         "environment.\n");
    for (int i = 0; i < FLAG_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "--%s%s%s", flags[i].name, flags[i].value ? " " : "",
                 flags[i].value ? flags[i].value : "");
        if (flags[i].doc[0] != '\0') printf("  %-24s %s\n", name, flags[i].doc);
    }
}

static int set_url(Plan *plan, char *value) {
    char *host = strncmp(value, "http://", 7) == 0 ? value + 7 : value;
    char *colon = strrchr(host, ':');
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : 0;
    if (port < 1 || port > 65535 || (*end != '\0' && strcmp(end, "/") != 0)) {
        return complain("--url must be http://HOST:PORT, not", value);
    }
    *colon = '\0';
    plan->host = host;
    plan->port = (int)port;
    return 0;
}

/* The first --send or --await takes the place of the default ones. */
static int add_step(Plan *plan, bool *has_steps, bool is_send, char *value) {
    if (!*has_steps) plan->step_count = 0;
    *has_steps = true;
    if (value[0] == '\0') return 0;
    if (plan->step_count == PLAN_STEPS_MAX) return complain("too many --send and --await", NULL);
    plan->steps[plan->step_count++] = (PlanStep){is_send, str_of(value)};
    return 0;
}

static int set_number(Plan *plan, const Flag *flag, char *value) {
    char *end;
    double number = strtod(value, &end);
    bool is_whole = number == floor(number) || flag->kind == KIND_REAL;
    if (end == value || *end != '\0' || !is_whole || !(number >= flag->min && number <= flag->max)) {
        fprintf(stderr, "chatty-bench: --%s must be a %snumber from %.0f to %.0f, not %s\n", flag->name,
                flag->kind == KIND_REAL ? "" : "whole ", flag->min, flag->max, value);
        return ERR_INVALID;
    }
    char *member = (char *)plan + flag->offset;
    if (flag->kind == KIND_REAL) *(double *)(void *)member = number;
    if (flag->kind == KIND_NUMBER) *(int *)(void *)member = (int)number;
    return 0;
}

static int set(Plan *plan, bool *has_steps, const Flag *flag, char *value) {
    switch (flag->kind) {
    case KIND_SWITCH: *(bool *)((char *)plan + flag->offset) = true; return 0;
    case KIND_TEXT: *(Str *)(void *)((char *)plan + flag->offset) = str_of(value); return 0;
    case KIND_SEND: return add_step(plan, has_steps, true, value);
    case KIND_AWAIT: return add_step(plan, has_steps, false, value);
    case KIND_URL: return set_url(plan, value);
    default: return set_number(plan, flag, value);
    }
}

static const Flag *find_flag(const char *name, size_t len) {
    for (int i = 0; i < FLAG_COUNT; i++) {
        if (strlen(flags[i].name) == len && memcmp(flags[i].name, name, len) == 0) return &flags[i];
    }
    return NULL;
}

/* Whether the parts fit each other. */
static int check(const Plan *plan) {
    if (plan->slow > 0 && plan->slow >= plan->sessions) return complain("all sessions are slow", NULL);
    if (plan->slow > 0 && plan->replay > 0) return complain("both --slow and --replay", NULL);
    if (plan->slow > 0 && plan->stream) return complain("both --slow and --stream", NULL);
    if (plan->port == 0 && plan->command == NULL) return complain("neither --url nor a command", NULL);
    if (plan->port != 0 && plan->command != NULL) return complain("both --url and a command", NULL);
    if (plan->sessions > 0 && plan->channels > plan->sessions)
        return complain("more channels than sessions", NULL);
    if (plan->fill_channels > 0 && plan->fill_users == 0)
        return complain("--fill-channels without --fill-users", NULL);
    if ((size_t)plan->size < stamp_event_min()) {
        fprintf(stderr, "chatty-bench: --size must be at least %zu\n", stamp_event_min());
        return ERR_INVALID;
    }
    return 0;
}

/* Takes one flag, and the argument behind it when that is its value. */
static int take_flag(Plan *plan, bool *has_steps, char ***argv) {
    char *name = **argv + 2;
    char *equals = strchr(name, '=');
    const Flag *flag = find_flag(name, equals ? (size_t)(equals - name) : strlen(name));
    if (flag == NULL) return complain("unknown flag", **argv);
    if (flag->kind == KIND_SWITCH) return set(plan, has_steps, flag, NULL);
    char *value = equals ? equals + 1 : *++*argv;
    if (value != NULL) return set(plan, has_steps, flag, value);
    fprintf(stderr, "chatty-bench: --%s has no value\n", flag->name);
    return ERR_INVALID;
}

static void read_environment(Plan *plan) {
    plan->secret = str_of(getenv("JWT_SECRET"));
    plan->key = str_of(getenv("CONTROL_KEY"));
    plan->issuer = str_of(getenv("JWT_ISSUER"));
    plan->audience = str_of(getenv("JWT_AUDIENCE"));
    plan->algorithm = str_of(getenv("JWT_ALGORITHM"));
    if (plan->algorithm.len == 0) plan->algorithm = STR("HS256");
}

int plan_parse(Plan *plan, char **argv) {
    *plan = defaults;
    bool has_steps = false;
    read_environment(plan);
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0) {
            print_help();
            return ERR_CANCELED;
        }
        if (strcmp(*argv, "--") == 0) {
            plan->command = argv[1] ? argv + 1 : NULL;
            break;
        }
        if (strncmp(*argv, "--", 2) != 0) return complain("unexpected argument", *argv);
        int err = take_flag(plan, &has_steps, &argv);
        if (err != 0) return err;
    }
    return check(plan);
}
