/* SPDX-License-Identifier: Apache-2.0
 *
 * op: one operation on its way between islands. An Op has one owner at a time: whoever made it, then
 * the inbox it was posted to, then who takes it out. An answered Op travels back to the worker that
 * made it, calls on_answer there and is freed there. Which fields an operation uses stands beside
 * them; what is not named is zero.
 */
#ifndef HUB_OP_H
#define HUB_OP_H

#include "hub/names.h"
#include "hub/notice.h"
#include "hub/tally.h"

/* Name, and which island carries it out; `both` is not the workers. */
#define OP_MAP(X)                                                                                     \
    X(NOTIFY, worker)        /* deliver `notice`; counts into `tally` if there is one */              \
    X(CHANGE, worker)        /* live `users` join (is_add) or leave `channels` */                     \
    X(DISCONNECT, worker)    /* close the sessions of `users` with `code` and `name` */               \
    X(INQUIRY, worker)       /* answers `value`, what was recorded: see inquiry.h */                  \
    X(PRESENCE, worker)      /* user `name` came online (is_add) or is gone */                        \
    X(RELIEVE, worker)       /* end the slowest sessions: see relief.h; no answer */                  \
    X(SECRET, worker)        /* `value` becomes the key of tokens, the old one ends at expires_ms */  \
    X(REVOKE, worker)        /* records of space `name`: keys `users`, values `channels` */           \
    X(PARK, worker)          /* the plugin `name` is parked for `value` */                            \
    X(ROOM, worker)          /* answer when there is room for a further Lua state */                  \
    X(SWAP, worker)          /* the Lua state `cargo` takes the place of the one that runs */         \
    X(RELAY, worker)         /* a request of a polling client, by `name`, its sid: see relay */       \
    X(CALL, worker)          /* only run on_answer there */                                           \
    X(STOP, worker)          /* close everything, then say that it is quiet */                        \
    X(END, worker)           /* end the worker's loop */                                              \
    X(SUBSCRIBE, roster)     /* `users`, or those of any of `users_of`, get `channels` */             \
    X(UNSUBSCRIBE, roster)   /* they leave `channels` */                                              \
    X(JOIN, roster)          /* a session of user `name` begins; answers `channels` */                \
    X(LEAVE, roster)         /* it ends; no answer */                                                 \
    X(SUBSCRIPTIONS, roster) /* answers the `channels` of user `name` */                              \
    X(ORIGINS, roster)       /* the same as a page, and in `users` since when and by what */          \
    X(PARTICIPANTS, roster)  /* answers the `users` of channel `name`, a page */                      \
    X(USERS, roster)         /* answers the `users` with a live session, a page */                    \
    X(COUNT, roster)         /* answers how many users and sessions; of user `name` if any */         \
    X(PUT, roster)           /* keeps `value` under space `name`, key `after`; see expect */          \
    X(ERASE, roster)         /* drops that record */                                                  \
    X(GET, roster)           /* answers its `value` */                                                \
    X(EACH, roster)          /* answers keys and values of a space, a page */                         \
    X(LOG, roster)           /* puts `value` into the journal, then emits `notice` */                 \
    X(RULES, roster)         /* `value`: which channels keep events; is_add: everywhere now */        \
    X(TRIM, roster)          /* frees what nothing in its pools needs; workers do so too */           \
    X(RELOAD, reload)        /* make new Lua states and swap them; is_dry: only make them. Answers */ \
                             /* `generation`, or the fault as `value` */                              \
    X(CLOSE, both)           /* end the thread of the roster, or that of reloads */

typedef enum {
#define OP_ENUM(name, island) OP_##name,
    OP_MAP(OP_ENUM)
#undef OP_ENUM
} OpType;

typedef struct Op Op;

enum { OP_ORIGIN_RELOAD = UINT16_MAX };

/* Each runs at the worker that made the op; borrows what it gets. */
typedef void (*OpOnAnswer)(Op *op, void *waiter);
typedef void (*OpOnTally)(void *waiter, Tally *tally);

struct Op {
    Op *next; /* in an inbox */
    OpType type;
    bool is_answer;
    bool is_dry;          /* count only, change nothing */
    bool is_add;          /* CHANGE, PRESENCE, RULES */
    bool is_offline;      /* PARTICIPANTS: those without a session too */
    bool is_absent;       /* PARTICIPANTS: only those */
    bool has_more;        /* answer of pages: names follow the last one */
    uint16_t code;        /* DISCONNECT: WebSocket close code; RELAY: what is asked */
    uint16_t origin;      /* index of the worker that made it, or OP_ORIGIN_RELOAD */
    int error;            /* of the answer, 0 or an ERR_ code */
    OpOnAnswer on_answer; /* NULL: no answer is wanted */
    OpOnTally on_tally;   /* LOG: called in place of it when all goes well; NULL: nobody counts */
    void *waiter;         /* the origin's own */

    Notice *notice;  /* NOTIFY, LOG */
    Tally *tally;    /* NOTIFY: NULL when nobody counts */
    Names *users;    /* asked, or answered */
    Names *users_of; /* asked: users by their channels */
    Names *channels; /* asked, or answered */
    char *name;      /* asked: a user, a channel, a reason; may be NULL */
    uint32_t name_len;
    char *after; /* pages: names behind this one; may be NULL */
    uint32_t after_len;
    uint32_t size; /* pages: most names; RELIEVE: thousandths */
    Bytes *value;  /* LOG, RULES, PUT; answer of GET; fault of RELOAD */
    Bytes *expect; /* PUT with must_match: the value it must have now; NULL: there must be none */
    char *prefix;  /* EACH: keys that begin so; may be NULL */
    uint32_t prefix_len;
    Bytes *by;               /* SUBSCRIBE: who asks, a text to be kept; may be NULL */
    int64_t expires_ms;      /* PUT: wall clock, 0: never */
    bool must_match;         /* PUT */
    bool is_done;            /* answer of PUT and ERASE: it was carried out */
    uint64_t users_count;    /* answered */
    uint64_t sessions_count; /* answered */
    uint64_t generation;     /* PRESENCE, PARK, SWAP; answer of RELOAD */
    void *cargo;             /* SWAP: whoever carries it out takes it */
    uint64_t changed_count;  /* answered: edges made or cut */
    int fd;                  /* RELAY with has_fd: a connection, closed with the op */
    bool has_fd;
};

Op *op_new(OpType type); /* gives; zeroed */
void op_free(Op *op);    /* takes, with all it holds */
bool op_is_for_roster(OpType type);
bool op_is_for_reload(OpType type);
void op_set_name(Op *op, Str name);     /* copies */
void op_set_after(Op *op, Str after);   /* copies */
void op_set_prefix(Op *op, Str prefix); /* copies */

static inline Str op_name(const Op *op) {
    return str_make(op->name, op->name_len);
}

static inline Str op_prefix(const Op *op) {
    return str_make(op->prefix, op->prefix_len);
}

static inline Str op_after(const Op *op) {
    return str_make(op->after, op->after_len);
}

#endif
