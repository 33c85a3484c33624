/* SPDX-License-Identifier: Apache-2.0
 *
 * token: JSON Web Tokens (RFC 7519), by libjwt but for checking the signatures of shared secrets: makes them
 * and checks everything: that the algorithm is the configured one (never the token's choice), signature,
 * exp, nbf, iss, aud, sub. The policy holds the keys and remembers the head of the last good token; one
 * thread at a time.
 */
#ifndef DATA_TOKEN_H
#define DATA_TOKEN_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/str.h"

enum { TOKEN_BYTES_MAX = 8192 };

typedef struct TokenPolicy TokenPolicy;

typedef struct TokenSettings {
    Str algorithm;   /* "HS256" ... "ES512" */
    Str secret;      /* HS: the shared secret */
    Str public_key;  /* RS, ES: PEM text to check with */
    Str private_key; /* RS, ES: PEM text to sign with, or STR_NONE */
    Str issuer;      /* STR_NONE: any */
    Str audience;    /* STR_NONE: any */
    int64_t leeway_s;
} TokenSettings;

/* Copies all it needs. ERR_INVALID: unknown algorithm, or a key that does not fit it. Gives. */
WARN_UNUSED int token_policy_new(const TokenSettings *settings, TokenPolicy **policy);
void token_policy_free(TokenPolicy *policy);               /* wipes the keys; NULL is fine */
TokenPolicy *token_policy_copy(const TokenPolicy *policy); /* gives */

/* The same policy with another shared secret. ERR_INVALID: it has none, or the secret is empty. Gives. */
WARN_UNUSED int token_policy_renew(const TokenPolicy *policy, Str secret, TokenPolicy **renewed);

typedef struct Token {
    Bytes *user;       /* sub */
    Bytes *claims;     /* all claims as a JSON object */
    int64_t expires_s; /* since 1970; 0: never */
} Token;

/* Checks `text` at the time `now_s`. ERR_INVALID, ERR_EXPIRED (exp passed), ERR_UNAVAILABLE (nbf not
 * yet); *reason then says why, for people, without anything of the token in it (static). */
WARN_UNUSED int token_verify(TokenPolicy *policy, Str text, int64_t now_s, Token *token,
                             const char **reason);
void token_deinit(Token *token);

/* Makes a token of a JSON object of claims. ERR_UNAVAILABLE: there is no key to sign with; ERR_INVALID:
 * the claims are no object. Gives the text. */
WARN_UNUSED int token_make(const TokenPolicy *policy, Str claims, Bytes **text);

#endif
