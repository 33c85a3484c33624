/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a session: opened (no user), identified, joining (the roster was asked for its channels),
 * live (in the registry), closed.
 *
 * Proxies lie in a table with weak values, keyed by the Session's address, in each Lua state; a session whose
 * proxy nobody holds costs Lua nothing. session:data() is a memo.
 */
#include "api/api_session.h"

#include "api/api_event.h"
#include "api/asking.h"
#include "api/join.h"
#include "api/lua_args.h"
#include "api/memo.h"
#include "api/sending.h"
#include "api/states.h"
#include "base/mem.h"

static const char session_type[] = "core.session";
static const char proxies_key = 'p'; /* its address is the registry key */

enum { REASON_MAX = 123 };

/* What Proxy has no place for lies in Lua's memory, so that no proxy needs a finalizer. */
enum { USER_VALUE = 1, CLAIMS_VALUE, VALUE_COUNT = CLAIMS_VALUE };

typedef struct Proxy {
    const char *type;      /* for check_typed */
    Session *session;      /* NULL after its end; then its user values and the fields below are set */
    SessionFacts facts;    /* without the identity */
    const char *transport; /* static */
} Proxy;

static Proxy *check_proxy(lua_State *L) {
    return check_typed(L, 1, session_type);
}

static int push_closed(lua_State *L) {
    lua_pushnil(L);
    lua_pushliteral(L, "closed");
    lua_pushliteral(L, "CLOSED");
    return 3;
}

static Proxy *new_proxy(lua_State *L) {
    Proxy *proxy = lua_newuserdatauv(L, sizeof *proxy, VALUE_COUNT);
    *proxy = (Proxy){.type = session_type};
    luaL_setmetatable(L, session_type);
    return proxy;
}

void push_session(lua_State *L, Session *session) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &proxies_key);
    if (lua_rawgetp(L, -1, session) == LUA_TNIL) {
        lua_pop(L, 1);
        new_proxy(L)->session = session;
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, session);
    }
    lua_remove(L, -2);
}

static const SessionFacts *facts_of(const Proxy *proxy) {
    return proxy->session != NULL ? &proxy->session->facts : &proxy->facts;
}

/* The proxy on top keeps what the session was. */
static void detach_proxy(lua_State *L, const Session *session) {
    Proxy *proxy = lua_touserdata(L, -1);
    proxy->session = NULL;
    proxy->transport = session_transport(session);
    proxy->facts = session->facts;
    proxy->facts.identity = NULL;
    if (session->facts.identity == NULL) return;
    push_str(L, session_user(&session->facts));
    lua_setiuservalue(L, -2, USER_VALUE);
    push_str(L, session_claims(&session->facts));
    lua_setiuservalue(L, -2, CLAIMS_VALUE);
}

/* The proxy of a state, if there is one, knows the session no more. */
static void detach(lua_State *L, Session *session) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &proxies_key);
    if (lua_rawgetp(L, -1, session) != LUA_TNIL) {
        detach_proxy(L, session);
        lua_pushnil(L);
        lua_rawsetp(L, -3, session);
    }
    lua_pop(L, 2);
}

static void carry_text(lua_State *from, int index, lua_State *to, int value) {
    size_t len;
    lua_getiuservalue(from, index, value);
    const char *text = lua_tolstring(from, -1, &len);
    if (text != NULL) {
        lua_pushlstring(to, text, len);
        lua_setiuservalue(to, -2, value);
    }
    lua_pop(from, 1);
}

bool carry_session(lua_State *from, int index, lua_State *to) {
    index = lua_absindex(from, index);
    const Proxy *proxy = to_typed(from, index, session_type);
    if (proxy == NULL) return false;
    if (proxy->session != NULL) {
        push_session(to, proxy->session);
        return true;
    }
    *new_proxy(to) = *proxy;
    carry_text(from, index, to, USER_VALUE);
    carry_text(from, index, to, CLAIMS_VALUE);
    return true;
}

void end_session(Session *session) {
    const States *states = session->owner->context;
    for (List *at = states->all.next; at != &states->all; at = at->next) {
        detach(list_entry(at, Api, link)->script->L, session);
    }
}

void push_ended_session(lua_State *L, Session *session) {
    push_session(L, session);
    end_session(session);
}

static int f_id(lua_State *L) {
    lua_pushstring(L, facts_of(check_proxy(L))->id);
    return 1;
}

static int push_text(lua_State *L, Str (*text_of)(const SessionFacts *facts), int value) {
    const Proxy *proxy = check_proxy(L);
    if (proxy->session == NULL) {
        lua_getiuservalue(L, 1, value);
        return 1;
    }
    if (proxy->session->facts.identity == NULL) return 0;
    push_str(L, text_of(&proxy->session->facts));
    return 1;
}

static int f_user(lua_State *L) {
    return push_text(L, session_user, USER_VALUE);
}

static int f_claims(lua_State *L) {
    return push_text(L, session_claims, CLAIMS_VALUE);
}

static int f_transport(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    lua_pushstring(L, proxy->session ? session_transport(proxy->session) : proxy->transport);
    return 1;
}

static int f_remote(lua_State *L) {
    char remote[ADDRESS_TEXT_MAX];
    address_format(facts_of(check_proxy(L))->remote, remote);
    lua_pushstring(L, remote);
    return 1;
}

static int f_since(lua_State *L) {
    lua_pushnumber(L, (lua_Number)facts_of(check_proxy(L))->since_ms / 1000);
    return 1;
}

static int f_expires(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    if (proxy->session == NULL || proxy->session->facts.identity == NULL) return 0;
    if (proxy->session->expires_ms == 0) return 0;
    lua_pushnumber(L, (lua_Number)proxy->session->expires_ms / 1000);
    return 1;
}

static int f_data(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    bool is_kept = proxy->session != NULL; /* else nobody would let go of it */
    memo_push(L, facts_of(proxy)->id, is_kept);
    return 1;
}

/* init.on_disconnect calls it when its hooks are through. */
static int f_forget(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    if (proxy->session == NULL) memo_forget(api_of(L), proxy->facts.id);
    return 0;
}

static int f_expect_auth(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    uint32_t timeout_ms = check_delay_ms(L, 2);
    if (proxy->session == NULL) return push_closed(L);
    session_expect_auth(proxy->session, timeout_ms);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_identify(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    Str user = check_str(L, 2);
    Str claims = check_str(L, 3);
    lua_Number expires = luaL_optnumber(L, 4, 0);
    lua_Integer key = luaL_optinteger(L, 5, 0);
    Session *session = proxy->session;
    if (session == NULL) return push_closed(L);
    bool is_known = session->facts.identity != NULL;
    if (is_known && !str_equal(session_user(&session->facts), user)) {
        return push_failure(L, ERR_DENIED, "the token is of another user");
    }
    session_identify(session, user, claims, (int64_t)(expires * 1000), (uint32_t)key);
    if (!is_known) registry_expect(api_of(L)->registry, &session->subscriber);
    if (session->subscriber.user != NULL) join_check_token(api_of(L), session);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_set_client(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    Session *session = proxy->session;
    if (session == NULL) return push_closed(L);
    if (session->facts.identity == NULL)
        return luaL_error(L, "session:set_client before session:identify");
    session_set_client(session, opt_str(L, 2));
    lua_pushboolean(L, 1);
    return 1;
}

static int f_join(lua_State *L) {
    Session *session = check_proxy(L)->session;
    if (session == NULL || !session_is_open(session)) return push_closed(L);
    if (session->facts.identity == NULL) return luaL_error(L, "session:join before session:identify");
    if (session->has_joined) return luaL_error(L, "session:join a second time");
    return join_ask(L, session);
}

static int f_is_live(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    lua_pushboolean(L, proxy->session != NULL && proxy->session->subscriber.user != NULL);
    return 1;
}

static int f_channels(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    if (proxy->session == NULL) return push_closed(L);
    const Node *user = proxy->session->subscriber.user;
    lua_newtable(L);
    for (uint32_t i = 0; user != NULL && i < user->edge_count; i++) {
        push_str(L, node_name(node_edges(user)[i].peer));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int push_unsupported(lua_State *L, const char *message) {
    lua_pushnil(L);
    lua_pushstring(L, message);
    lua_pushliteral(L, "UNSUPPORTED");
    return 3;
}

static int f_send(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    SendingOptions options = {.ack = opt_str(L, 3), .id = opt_str(L, 4)};
    check_event(L, 2);
    if (proxy->session == NULL) return push_closed(L);
    if (sending_is_impossible(L, proxy->session, 2)) {
        return push_unsupported(L, "only sessions of Socket.IO take binaries");
    }
    if (!sending_send(L, proxy->session, 2, &options)) return push_closed(L);
    lua_pushboolean(L, 1);
    return 1;
}

/* stack: session, event, seconds */
static int f_ask(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    check_event(L, 2);
    uint32_t timeout_ms = check_delay_ms(L, 3);
    if (proxy->session == NULL || !session_is_open(proxy->session)) return push_closed(L);
    if (lane_of(proxy->session) == NULL) {
        return push_unsupported(L, "only clients of Socket.IO acknowledge events");
    }
    return asking_ask(L, proxy->session, timeout_ms);
}

static int f_namespace(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    const Lane *lane = proxy->session != NULL ? lane_of(proxy->session) : NULL;
    if (lane == NULL) return 0;
    push_str(L, lane_name(lane));
    return 1;
}

static int f_close(lua_State *L) {
    const Proxy *proxy = check_proxy(L);
    lua_Integer code = luaL_checkinteger(L, 2);
    Str reason = opt_str(L, 3);
    luaL_argcheck(L, code >= 1000 && code <= 4999, 2, "a WebSocket close code");
    if (reason.len > REASON_MAX) reason.len = REASON_MAX;
    if (proxy->session == NULL) return push_closed(L);
    session_close(proxy->session, (uint16_t)code, reason);
    lua_pushboolean(L, 1);
    return 1;
}

static const luaL_Reg methods[] = {
    {"id", f_id},
    {"user", f_user},
    {"claims", f_claims},
    {"transport", f_transport},
    {"remote", f_remote},
    {"since", f_since},
    {"expires", f_expires},
    {"data", f_data},
    {"forget", f_forget},
    {"namespace", f_namespace},
    {"expect_auth", f_expect_auth},
    {"identify", f_identify},
    {"set_client", f_set_client},
    {"join", f_join},
    {"is_live", f_is_live},
    {"channels", f_channels},
    {"send", f_send},
    {"ask", f_ask},
    {"close", f_close},
    {NULL, NULL},
};

int api_open_session(lua_State *L) {
    push_weak_table(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &proxies_key);
    memo_open(L);
    push_class(L, session_type, methods);
    return 1;
}
