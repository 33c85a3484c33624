/* SPDX-License-Identifier: Apache-2.0
 *
 * address: whether an IP address is one of the open Internet, or one that only this machine or its network
 * knows: loopback, private, link-local (with the metadata services of clouds), shared, multicast, reserved,
 * and IPv6 addresses that stand for such a one of IPv4. Addresses to keep, and those that a name has. Pure
 * functions, but for address_find; any thread.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* An address that is kept: of IPv6, or of IPv4 as IPv6 maps it; all 0: none. */
typedef struct Address {
    unsigned char bytes[16];
} Address;

/* "127.0.0.1" stands for a peer of this machine without an address. */
Address address_of(const struct sockaddr *address);

enum { ADDRESS_TEXT_MAX = 46 };

/* As text without port: "127.0.0.1", "2001:db8::1"; "" for none. */
void address_format(Address address, char out[ADDRESS_TEXT_MAX]);

/* False also for families that are not of the Internet. */
bool address_is_public(const struct sockaddr *address);

/* As text, "203.0.113.9" or "2001:db8::1". False also for what is no address. */
bool address_text_is_public(const char *text);

/* The addresses of a host for TCP, for freeaddrinfo; NULL: it has none. "localhost" and what ends in it mean this
 * machine also where nobody says so (RFC 6761 6.3); so does "". May ask the network, and block. */
struct addrinfo *address_find(const char *host, uint16_t port);

#endif
