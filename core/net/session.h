/* SPDX-License-Identifier: Apache-2.0
 *
 * session: one live connection of a user, over whichever transport: an identity, an expiry and a place
 * in the registry. It knows nothing of channels: its owner adds its Subscriber to the registry and takes
 * it out in on_close. A Session is freed when it is closed and nobody pins it any more. Worker's thread
 * only.
 */
#ifndef NET_SESSION_H
#define NET_SESSION_H

#include "base/err.h"
#include "net/address.h"
#include "net/transport.h"

enum { SESSION_ID_LEN = 22 };

typedef struct Session Session;
struct SioPacket;

typedef struct SessionHandler {
    /* A text message. No further one comes before session_next. */
    void (*on_frame)(Session *session, Str text);
    /* Of Socket.IO: an event, as on_frame, or an acknowledgement, which comes at any time. */
    void (*on_packet)(Session *session, const struct SioPacket *packet);
    /* Live, and expiring_notice_ms before the token dies, or less: once per token. */
    void (*on_expiring)(Session *session);
    void (*on_close)(Session *session, uint16_t code, Str reason); /* once, last */
} SessionHandler;

/* What all sessions of a worker have in common; it lives longer than they. */
typedef struct SessionOwner {
    const SessionHandler *handler;
    void *context;
    Pool *pool; /* where the sessions lie, and what they hold */
    uint32_t expiring_notice_ms;
} SessionOwner;

/* What is known of a session, also after its end. */
typedef struct SessionFacts {
    char *identity; /* the claims, raw JSON, and behind them the user's name; NULL: not identified */
    uint32_t claims_len;
    uint32_t user_len;
    Address remote;   /* the peer's */
    int64_t since_ms; /* wall clock */
    char id[SESSION_ID_LEN + 1];
} SessionFacts;

struct Session {
    Subscriber subscriber; /* its class is the first member of the transport's TransportClass */
    const SessionOwner *owner;
    SessionFacts facts;
    union {
        int64_t expires_ms;        /* identified: wall clock; 0: never */
        uint64_t auth_deadline_ms; /* not identified: monotonic; 0: none */
    };
    uint32_t key_generation; /* of the key that signed the token */
    uint32_t pins : 28;
    bool was_warned : 1; /* on_expiring came for this token */
    bool is_live : 1;    /* session_go_live was called */
    bool has_joined : 1; /* the roster was asked */
    bool is_member : 1;  /* the roster counts it: a LEAVE is owed */
};

/* Empty until session_identify. */
static inline Str session_user(const SessionFacts *facts) {
    return facts->identity ? str_make(facts->identity + facts->claims_len, facts->user_len) : STR_NONE;
}

static inline Str session_claims(const SessionFacts *facts) {
    return facts->identity ? str_make(facts->identity, facts->claims_len) : STR_NONE;
}

/* Makes one with an id and without a transport, pinned once for the caller. `remote` is the peer's
 * address. Gives. */
Session *session_new(Address remote, const SessionOwner *owner);

/* For transports: the connection is there; from now on the session is open. Borrows both. */
void session_bind(Session *session, const TransportClass *class, void *transport);

/* Whether it has its connection: from session_bind to on_close. */
static inline bool session_is_bound(const Session *session) {
    return session->subscriber.transport != NULL;
}

void session_pin(Session *session);
void session_unpin(Session *session); /* takes the pin; may free the session */

/* Closes with 4500 if it is not identified within `timeout_ms`. */
void session_expect_auth(Session *session, uint32_t timeout_ms);

/* Says who it is; copies both. expires_ms 0: never. */
void session_identify(Session *session, Str user, Str claims, int64_t expires_ms,
                      uint32_t key_generation);

/* Gives its id the part that says which client of its user it is of. `name` is what the client calls itself: the id
 * of its last session, or a text of its own; STR_NONE, or longer than 64 bytes: it is a new one. Once, behind
 * session_identify and before anybody has seen the id. */
void session_set_client(Session *session, Str name);

/* It gets events from now on, also on_expiring's. */
void session_go_live(Session *session, const SessionStart *start);

/* No message is handed out before session_next. */
void session_hold(Session *session);

/* The message of on_frame is done with: the next one may come. */
void session_next(Session *session);

/* What is sent between them leaves in one write. */
void session_stop_writing(Session *session);
void session_start_writing(Session *session);

/* What the transport is called, "" when there is none. */
const char *session_transport(const Session *session);

/* Sends one event in the transport's encoding; false when closed or the queue is full. */
bool session_send(Session *session, const MessageParts *parts);
void session_close(Session *session, uint16_t code, Str reason);
bool session_is_open(const Session *session);
uint16_t session_close_code(const Session *session); /* 0: it is open, or has no transport any more */

/* For transports: what their tables hold, and what they tell of the connection. */
bool session_retire_key(Subscriber *subscriber, uint32_t generation, int64_t until_ms);
Str session_claims_of(const Subscriber *subscriber);
Str session_user_of(const Subscriber *subscriber);
Str session_id(const Subscriber *subscriber);
void session_describe(const Subscriber *subscriber, int64_t *since_ms, uint32_t *waiting);
void session_end(Subscriber *subscriber, uint16_t code, Str reason);
uint64_t session_overdue(const Subscriber *subscriber);
void session_cut(Subscriber *subscriber);
#define SESSION_SUBSCRIBER(deliver_)                                                          \
    {                                                                                         \
        .deliver = (deliver_), .retire_key = session_retire_key, .claims = session_claims_of, \
        .of_user = session_user_of, .id = session_id, .describe = session_describe,           \
        .close = session_end, .overdue = session_overdue, .cut = session_cut                  \
    }
void session_on_message(Session *session, Str text);
void session_on_timer(Session *session);
void session_on_close(Session *session, uint16_t code, Str reason); /* the last; once */

static inline Session *session_of(Subscriber *subscriber) {
    return (Session *)(void *)((char *)subscriber - offsetof(Session, subscriber));
}

#endif
