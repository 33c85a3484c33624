/* SPDX-License-Identifier: Apache-2.0
 *
 * api: our words for Lua: one file per Lua module, `core.x` in api_x.c, and the entry points by which
 * the worker calls the Lua half. Lua never owns a C object of the network: a userdata is a proxy whose
 * pointer is NULL once the object is gone. The Api itself is what the bindings work on; it hangs in the
 * state's extra space. One per Lua state (see states.h), its thread only.
 */
#ifndef API_API_H
#define API_API_H

#include <lauxlib.h>
#include <lua.h>

#include "api/lines.h"
#include "base/err.h"
#include "base/meters.h"
#include "data/job.h"
#include "data/keyring.h"
#include "data/revocations.h"
#include "data/shared.h"
#include "data/store.h"
#include "hub/bus.h"
#include "hub/registry.h"
#include "net/http_client.h"
#include "net/net.h"
#include "net/request.h"
#include "script/script.h"

/* A setting's name and value as text. */
typedef struct Setting {
    char *name;
    char *value;
} Setting;

/* Hooks for which C makes something, and only when a plugin has them. */
typedef enum { API_HOOK_DISCONNECT, API_HOOK_DROPPED, API_HOOK_OFFLINE, API_HOOK_ONLINE } ApiHook;

/* All borrowed; the creator fills it. In command line tools bus, registry and net are NULL. */
typedef struct Api {
    List link;             /* in states->all */
    struct States *states; /* of its worker; NULL in tools */
    Script *script;
    Bus *bus;
    Registry *registry;
    struct Engines *engines;  /* of the worker; NULL in tools */
    Net *net;                 /* NULL again when the worker is taken apart */
    JobPool *jobs;            /* NULL in tools: work is done at once */
    Store *store;             /* of tools; NULL in a server, whose roster has it */
    Shared *shared;           /* NULL in tools */
    History *history;         /* NULL in tools */
    RetentionRules retention; /* which channels keep history, as the plugins of this state say */
    Lines lines;              /* what this state remembers of requests */
    uint32_t replay_max;      /* events that a session is brought at once */
    HttpClient *http;         /* NULL in tools */
    Meters *meters;           /* NULL in tools */
    Keyring *keys;            /* keys->current NULL: no secret is configured */
    Revocations *revocations; /* NULL in tools */
    const Setting *settings;
    size_t setting_count;
    ScriptLimits limits;
    const char *home;
    const char *node_name;
    const char *trial; /* core.node.trial; NULL: this is no trial */
    int worker;        /* -1 in tools */
    unsigned worker_count;
    uint32_t expiring_notice_ms;
    uint32_t json_depth_max;
    uint32_t asks;        /* operations whose answer has not come yet */
    bool is_running;      /* the worker's loop runs: before and after, not all workers are there */
    bool is_stopped;      /* the stop hooks are through */
    unsigned hears;       /* 1 << ApiHook: a plugin has it */
    uint64_t generation;  /* counts reloads */
    uint64_t deadline_ms; /* of an old one: what runs then is cancelled; monotonic */
    size_t left_out;      /* values of session.data that could not go along */
    /* registry references of init's functions; LUA_NOREF until api_setup */
    int on_request;
    int on_frame;
    int on_packet;
    int on_ack;
    int on_connect;
    int on_expiring;
    int on_disconnect;
    int on_socket_message;
    int on_socket_close;
    int on_presence;
    int on_parked;
    int on_dropped;
    int on_socket_move;
} Api;

/* Registers all modules for `require` in the state of api->script. Borrows the api for the state's life. */
void api_open(Api *api);

/* A copy of `model` with a new Lua state. Gives. */
Api *api_new(const Api *model);
void api_free(Api *api); /* takes it, out of its states too */

/* Loads `init` and runs init.setup, on any thread. On failure one line for people is added to `fault`. */
WARN_UNUSED int api_setup(Api *api, Buf *fault);
void api_start(Api *api); /* runs init.start as a task */
void api_stop(Api *api);  /* runs init.stop as a task */
void api_leave(Api *api); /* runs init.leave as a task */

/* The api has taken the place of `old`: what init.unload gives there goes to init.load. */
void api_take_over(Api *api, Api *old);

/* Takes the request; answers it through Lua. An ExchangeOnRequest; its context is the worker's States. */
void api_on_request(void *states, Request *request);

/* Takes an INQUIRY op and answers it. */
void api_on_inquiry(const Api *api, Op *op);

/* A user came online or is gone: runs the hooks, if there are any. */
void api_on_presence(Api *api, Str user, bool is_online, uint64_t generation);

/* A plugin was parked by another worker. */
void api_on_parked(Api *api, Str plugin, Str reason);

/* How events look on each transport. */
const MessageEncoder *api_encoders(void);

/* By which rules channels keep events: those of its worker's current state, however old the Api is that emits, since
 * the Journal knows no others. */
const RetentionRules *api_rules(const Api *api);

static inline bool api_hears(const Api *api, ApiHook hook) {
    return (api->hears >> hook & 1) != 0;
}

/* The Api of a state or coroutine. */
static inline Api *api_of(lua_State *L) {
    return *(Api **)lua_getextraspace(L);
}

/* The modules for `require "core.x"`, and the classes that have no module: name of the opener. */
#define API_MODULE_MAP(X) \
    X(bus)                \
    X(engine)             \
    X(cage)               \
    X(event)              \
    X(files)              \
    X(greeting)           \
    X(history)            \
    X(http)               \
    X(json)               \
    X(log)                \
    X(metrics)            \
    X(names)              \
    X(node)               \
    X(password)           \
    X(query)              \
    X(reload)             \
    X(remote)             \
    X(secret)             \
    X(shared)             \
    X(store)              \
    X(task)               \
    X(time)               \
    X(token)              \
    X(trace)
#define API_CLASS_MAP(X) X(request) X(session) X(socket)

#define API_OPENER(name) int api_open_##name(lua_State *L);
API_MODULE_MAP(API_OPENER)
API_CLASS_MAP(API_OPENER)
#undef API_OPENER

#endif
