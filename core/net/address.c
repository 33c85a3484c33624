/* SPDX-License-Identifier: Apache-2.0
 *
 * The lists are those of the IANA special-purpose registries (RFC 6890 and what came later).
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct Range4 {
    uint32_t first;
    unsigned bits; /* that all of the range have in common */
} Range4;

typedef struct Range6 {
    uint8_t first[4];
    unsigned bits; /* at most 32 */
} Range6;

static const Range4 ranges4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* shared by a provider's customers */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocol assignments */
    {0xc0000200, 24}, /* documentation */
    {0xc0586300, 24}, /* 6to4 relays */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks */
    {0xc6336400, 24}, /* documentation */
    {0xcb007100, 24}, /* documentation */
    {0xe0000000, 3},  /* multicast, reserved, broadcast */
};

/* Those that begin with the ranges of IPv4 in other dress are looked at apart. */
static const Range6 ranges6[] = {
    {{0x00, 0x00, 0x00, 0x00}, 8},  /* unspecified, loopback, mapped and other old dress */
    {{0x01, 0x00, 0x00, 0x00}, 8},  /* discard */
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02, 0x00, 0x00}, 16}, /* 6to4 */
    {{0x3f, 0xff, 0x00, 0x00}, 20}, /* documentation */
    {{0x5f, 0x00, 0x00, 0x00}, 16}, /* segment routing */
    {{0xfc, 0x00, 0x00, 0x00}, 7},  /* private */
    {{0xfe, 0x80, 0x00, 0x00}, 10}, /* link-local */
    {{0xfe, 0xc0, 0x00, 0x00}, 10}, /* site-local, given up */
    {{0xff, 0x00, 0x00, 0x00}, 8},  /* multicast */
};

static uint32_t word_of(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return ntohl(word);
}

static bool is_public4(uint32_t address) {
    for (size_t i = 0; i < sizeof ranges4 / sizeof ranges4[0]; i++) {
        if ((address ^ ranges4[i].first) >> (32 - ranges4[i].bits) == 0) return false;
    }
    return true;
}

static bool is_public6(const uint8_t *address) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b};
    if (memcmp(address, mapped, sizeof mapped) == 0 ||
        memcmp(address, translated, sizeof translated) == 0) {
        return is_public4(word_of(address + 12));
    }
    uint32_t head = word_of(address);
    for (size_t i = 0; i < sizeof ranges6 / sizeof ranges6[0]; i++) {
        if ((head ^ word_of(ranges6[i].first)) >> (32 - ranges6[i].bits) == 0) return false;
    }
    return true;
}

bool address_is_public(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        return is_public4(ntohl(four.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof six);
        return is_public6(six.sin6_addr.s6_addr);
    }
    return false;
}

bool address_text_is_public(const char *text) {
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, text, &four) == 1) return is_public4(ntohl(four.s_addr));
    if (inet_pton(AF_INET6, text, &six) == 1) return is_public6(six.s6_addr);
    return false;
}

static Address map4(const void *ip4) {
    Address mapped = {.bytes = {[10] = 0xff, [11] = 0xff}};
    memcpy(mapped.bytes + 12, ip4, 4);
    return mapped;
}

Address address_of(const struct sockaddr *address) {
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    Address kept = {.bytes = {0}};
    if (address->sa_family == AF_INET) {
        return map4(&((const struct sockaddr_in *)(const void *)address)->sin_addr);
    }
    if (address->sa_family == AF_UNIX) return map4(loopback);
    if (address->sa_family == AF_INET6) {
        memcpy(kept.bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    }
    return kept;
}

void address_format(Address address, char out[ADDRESS_TEXT_MAX]) {
    static const Address none = {.bytes = {0}};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    out[0] = '\0';
    if (memcmp(&address, &none, sizeof none) == 0) return;
    bool is_mapped = memcmp(address.bytes, mapped, sizeof mapped) == 0;
    inet_ntop(is_mapped ? AF_INET : AF_INET6, address.bytes + (is_mapped ? 12 : 0), out,
              ADDRESS_TEXT_MAX);
}

static bool is_localhost(const char *host) {
    static const char name[] = "localhost";
    size_t len = strlen(host);
    if (len < sizeof name - 1) return false;
    const char *end = host + len - (sizeof name - 1);
    return strcasecmp(end, name) == 0 && (end == host || end[-1] == '.');
}

struct addrinfo *address_find(const char *host, uint16_t port) {
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    if (host[0] != '\0' && getaddrinfo(host, service, &hints, &found) == 0) return found;
    if (host[0] != '\0' && !is_localhost(host)) return NULL;
    return getaddrinfo(NULL, service, &hints, &found) == 0 ? found : NULL;
}
