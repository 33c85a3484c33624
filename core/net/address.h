/* SPDX-License-Identifier: Apache-2.0
 *
 * address: whether an IP address is one of the open Internet, or one that only this machine or its network
 * knows: loopback, private, link-local (with the metadata services of clouds), shared, multicast, reserved,
 * and IPv6 addresses that stand for such a one of IPv4. Pure functions; any thread.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False also for families that are not of the Internet. */
bool address_is_public(const struct sockaddr *address);

/* As text, "203.0.113.9" or "2001:db8::1". False also for what is no address. */
bool address_text_is_public(const char *text);

#endif
