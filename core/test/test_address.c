/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.address: whom plugins' requests may reach, and where names lead.
 *     address.is_public(text), address.is_public_socket(text)   the same, from a sockaddr
 *     address.find(host) -> the texts of its addresses; nil: it has none
 *     address.parse_url(text, base) -> url, host, port, is_tls; nil: it is none
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "api/lua_args.h"
#include "net/http_url.h"
#include "test/test.h"

static int f_is_public(lua_State *L) {
    lua_pushboolean(L, address_text_is_public(luaL_checkstring(L, 1)));
    return 1;
}

static int f_is_public_socket(lua_State *L) {
    const char *text = luaL_checkstring(L, 1);
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {.any = {.sa_family = AF_UNIX}};
    if (inet_pton(AF_INET, text, &address.four.sin_addr) == 1) address.any.sa_family = AF_INET;
    if (address.any.sa_family != AF_INET && inet_pton(AF_INET6, text, &address.six.sin6_addr) == 1) {
        address.any.sa_family = AF_INET6;
    }
    lua_pushboolean(L, address_is_public(&address.any));
    return 1;
}

static int f_find(lua_State *L) {
    struct addrinfo *all = address_find(luaL_checkstring(L, 1), 80);
    if (all == NULL) return 0;
    lua_newtable(L);
    for (const struct addrinfo *at = all; at != NULL; at = at->ai_next) {
        char text[ADDRESS_TEXT_MAX];
        address_format(address_of(at->ai_addr), text);
        lua_pushstring(L, text);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    freeaddrinfo(all);
    return 1;
}

static int f_parse_url(lua_State *L) {
    HttpUrl url;
    if (http_url_parse(luaL_checkstring(L, 1), luaL_optstring(L, 2, NULL), &url) != 0) return 0;
    lua_pushstring(L, url.text);
    lua_pushstring(L, url.host);
    lua_pushinteger(L, url.port);
    lua_pushboolean(L, url.is_tls);
    http_url_deinit(&url);
    return 4;
}

static const luaL_Reg functions[] = {{"is_public", f_is_public},
                                     {"is_public_socket", f_is_public_socket},
                                     {"find", f_find},
                                     {"parse_url", f_parse_url},
                                     {NULL, NULL}};

int test_open_address(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
