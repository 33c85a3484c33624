/* SPDX-License-Identifier: Apache-2.0
 *
 * handshake: the opening handshake of WebSocket (RFC 6455 4.2), without I/O. Any thread.
 */
#ifndef NET_HANDSHAKE_H
#define NET_HANDSHAKE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "net/http.h"
#include "net/request.h"

/* Whether the request is a valid handshake: GET, HTTP/1.1, Host, Upgrade: websocket, Connection:
 * upgrade, one Sec-WebSocket-Key of 16 bytes in base64, version 13, no body. Fills `fault` if not:
 * 400, or 426 for another version or when WebSocket is not asked for at all; an answer with 426
 * must carry "Upgrade: websocket" and "Sec-WebSocket-Version: 13". */
bool handshake_check(Request *request, HttpFault *fault);

/* Appends the 101 answer to a request that handshake_check accepted. `protocol` STR_NONE: no
 * subprotocol. `headers`: further ones, such as Set-Cookie. Neither may hold CR or LF. */
void handshake_encode(Request *request, Str protocol, const Header *headers, size_t header_count,
                      Buf *out);

/* The same as bytes of their own, without further headers. Gives. */
Bytes *handshake_answer(Request *request, Str protocol);

/* Whether the subprotocol list of the request offers `protocol` (exact match). */
bool handshake_offers(Request *request, Str protocol);

#endif
