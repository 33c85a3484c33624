/* SPDX-License-Identifier: Apache-2.0 */
#include "net/session.h"

#include <assert.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "data/secret.h"

enum {
    ID_BYTES = 16,
    MARK_LEN = 6, /* of the client, random or of its name */
    PROOF_LEN = SUBSCRIBER_CLIENT_LEN - MARK_LEN,
    CLIENT_NAME_MAX = 64
};

static const TransportClass *class_of(const Session *session) {
    return (const TransportClass *)(const void *)session->subscriber.class;
}

static void *transport_of(const Session *session) {
    return session->subscriber.transport;
}

void session_end(Subscriber *subscriber, uint16_t code, Str reason) {
    session_close(session_of(subscriber), code, reason);
}

static uint64_t after(const Session *session, int64_t delay_ms) {
    return net_now_ms(class_of(session)->net(transport_of(session))) +
           (uint64_t)(delay_ms > 0 ? delay_ms : 0);
}

static bool is_to_warn(const Session *session) {
    return session->is_live && !session->was_warned;
}

static void set_transport_deadline(Session *session, uint64_t deadline_ms) {
    class_of(session)->set_deadline(transport_of(session), deadline_ms);
}

/* The one deadline of the session: waiting for a token, then the warning, then the token's end. */
static void set_deadline(Session *session) {
    if (session->facts.identity == NULL) {
        set_transport_deadline(session, session->auth_deadline_ms);
        return;
    }
    if (session->expires_ms == 0) {
        set_transport_deadline(session, 0);
        return;
    }
    int64_t left_ms = session->expires_ms - clock_wall_ms();
    if (is_to_warn(session)) left_ms -= session->owner->expiring_notice_ms;
    set_transport_deadline(session, after(session, left_ms));
}

void session_on_timer(Session *session) {
    if (session->facts.identity == NULL) {
        session_close(session, 4500, STR("no token came in time"));
        return;
    }
    int64_t left_ms = session->expires_ms - clock_wall_ms();
    if (left_ms <= 0) {
        session_close(session, 4001, STR("token expired"));
        return;
    }
    if (is_to_warn(session) && left_ms <= session->owner->expiring_notice_ms) {
        session->was_warned = true;
        session->owner->handler->on_expiring(session);
    }
    if (session_is_open(session)) set_deadline(session);
}

bool session_retire_key(Subscriber *subscriber, uint32_t generation, int64_t until_ms) {
    Session *session = session_of(subscriber);
    if (session->key_generation >= generation) return false;
    if (until_ms == 0) {
        session_close(session, SUBSCRIBER_CODE_REVOKED, STR("the secret of the token was changed"));
        return true;
    }
    if (session->expires_ms == 0 || session->expires_ms > until_ms) session->expires_ms = until_ms;
    if (session_is_open(session)) set_deadline(session);
    return false;
}

static const Session *of_subscriber(const Subscriber *subscriber) {
    return session_of((Subscriber *)(uintptr_t)subscriber);
}

Str session_claims_of(const Subscriber *subscriber) {
    return session_claims(&of_subscriber(subscriber)->facts);
}

Str session_user_of(const Subscriber *subscriber) {
    return session_user(&of_subscriber(subscriber)->facts);
}

Str session_id(const Subscriber *subscriber) {
    return str_make(of_subscriber(subscriber)->facts.id, SESSION_ID_LEN);
}

void session_describe(const Subscriber *subscriber, int64_t *since_ms, uint32_t *waiting) {
    const Session *session = of_subscriber(subscriber);
    bool is_there = session_is_bound(session);
    *since_ms = session->facts.since_ms;
    *waiting = is_there ? class_of(session)->waiting(transport_of(session)) : 0;
}

uint64_t session_overdue(const Subscriber *subscriber) {
    const Session *session = of_subscriber(subscriber);
    return session_is_bound(session) ? class_of(session)->overdue(transport_of(session)) : 0;
}

void session_cut(Subscriber *subscriber) {
    Session *session = session_of(subscriber);
    class_of(session)->cut(transport_of(session));
}

void session_on_message(Session *session, Str text) {
    session_hold(session);
    session->owner->handler->on_frame(session, text);
}

static void free_identity(Session *session) {
    const SessionFacts *facts = &session->facts;
    pool_free(session->owner->pool, facts->identity, (size_t)facts->claims_len + facts->user_len);
}

static void free_session(Session *session) {
    ensure(session->subscriber.user == NULL && !session->subscriber.is_coming);
    free_identity(session);
    pool_free(session->owner->pool, session, sizeof *session);
}

void session_on_close(Session *session, uint16_t code, Str reason) {
    session_pin(session);
    session->owner->handler->on_close(session, code, reason);
    session->subscriber.transport = NULL;
    session_unpin(session);
}

static void make_id(char out[SESSION_ID_LEN + 1]) {
    char bytes[ID_BYTES];
    secret_random(bytes, sizeof bytes);
    static_assert(BASE64_URL_LEN(ID_BYTES) == SESSION_ID_LEN, "an id has room");
    base64_encode(BASE64_URL, str_make(bytes, sizeof bytes), out);
}

/* Copies the first characters of a digest of both texts. */
static void put_digest(char *at, size_t len, Str one, Str other) {
    Buf text = BUF_NONE;
    char digest[SECRET_HASH_SHORT_LEN];
    buf_add(&text, one);
    buf_add(&text, other);
    secret_hash_short(buf_str(&text), digest);
    memcpy(at, digest, len);
    buf_deinit(&text);
}

static void put_proof(char *at, Str user, Str mark) {
    put_digest(at, PROOF_LEN, mark, user);
}

static bool is_id_of(Str user, Str name) {
    char proof[PROOF_LEN];
    if (name.len != SESSION_ID_LEN) return false;
    put_proof(proof, user, str_make(name.data, MARK_LEN));
    return memcmp(proof, name.data + MARK_LEN, PROOF_LEN) == 0;
}

/* The proof ties the mark to the user: nobody gets an id that begins as those of somebody else, and so
 * nobody can have another left out. */
void session_set_client(Session *session, Str name) {
    char *id = session->facts.id;
    Str user = session_user(&session->facts);
    if (is_id_of(user, name)) {
        memcpy(id, name.data, MARK_LEN);
    } else if (name.len > 0 && name.len <= CLIENT_NAME_MAX) {
        put_digest(id, MARK_LEN, STR_NONE, name);
    }
    put_proof(id + MARK_LEN, user, str_make(id, MARK_LEN));
}

Session *session_new(Address remote, const SessionOwner *owner) {
    Session *session = pool_zalloc(owner->pool, sizeof *session);
    session->owner = owner;
    session->facts.since_ms = clock_wall_ms();
    session->pins = 1;
    session->facts.remote = remote;
    make_id(session->facts.id);
    return session;
}

void session_bind(Session *session, const TransportClass *class, void *transport) {
    session->subscriber.class = &class->subscriber;
    session->subscriber.transport = transport;
}

void session_pin(Session *session) {
    session->pins++;
}

void session_unpin(Session *session) {
    ensure(session->pins > 0);
    if (--session->pins == 0 && !session_is_bound(session)) free_session(session);
}

void session_expect_auth(Session *session, uint32_t timeout_ms) {
    if (!session_is_bound(session)) return;
    session->auth_deadline_ms = after(session, timeout_ms);
    set_deadline(session);
}

void session_identify(Session *session, Str user, Str claims, int64_t expires_ms,
                      uint32_t key_generation) {
    SessionFacts *facts = &session->facts;
    free_identity(session);
    facts->identity = pool_alloc(session->owner->pool, claims.len + user.len);
    facts->claims_len = (uint32_t)claims.len;
    facts->user_len = (uint32_t)user.len;
    memcpy(facts->identity, claims.data, claims.len);
    memcpy(facts->identity + claims.len, user.data, user.len);
    session->expires_ms = expires_ms;
    session->key_generation = key_generation;
    session->was_warned = false;
    if (session_is_open(session)) set_deadline(session);
}

void session_go_live(Session *session, const SessionStart *start) {
    session->is_live = true;
    if (class_of(session)->go_live != NULL && session_is_open(session)) {
        class_of(session)->go_live(transport_of(session), start);
    }
    if (session_is_open(session)) set_deadline(session);
}

void session_hold(Session *session) {
    if (session_is_bound(session)) class_of(session)->hold(transport_of(session));
}

void session_next(Session *session) {
    if (session_is_bound(session)) class_of(session)->resume(transport_of(session));
}

void session_stop_writing(Session *session) {
    if (!session_is_bound(session) || class_of(session)->stop_writing == NULL) return;
    class_of(session)->stop_writing(transport_of(session));
}

void session_start_writing(Session *session) {
    if (!session_is_bound(session) || class_of(session)->start_writing == NULL) return;
    class_of(session)->start_writing(transport_of(session));
}

const char *session_transport(const Session *session) {
    return session->subscriber.class != NULL ? class_of(session)->name : "";
}

bool session_send(Session *session, const MessageParts *parts) {
    if (!session_is_open(session)) return false;
    const TransportClass *class = class_of(session);
    return class->send(transport_of(session), parts);
}

void session_close(Session *session, uint16_t code, Str reason) {
    if (session_is_bound(session)) class_of(session)->close(transport_of(session), code, reason);
}

bool session_is_open(const Session *session) {
    return session_is_bound(session) && session_close_code(session) == 0;
}

uint16_t session_close_code(const Session *session) {
    return session_is_bound(session) ? class_of(session)->close_code(transport_of(session)) : 0;
}
