/* SPDX-License-Identifier: Apache-2.0
 *
 * libjwt checks a signature with whatever algorithm the token's own header names, so that header is
 * read first and compared with the configured algorithm: a token that says "none", or HS256 where RS256
 * is configured (to have the public key taken for a secret), is refused before any key is touched.
 */
#include "data/token.h"

#include <jwt.h>
#include <limits.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/digest.h"
#include "data/secret.h"

enum { CLAIMS_DEPTH_MAX = 32, HEAD_KEPT_MAX = 96 };

#define DATE_MAX (INT64_C(1) << 53) /* exact as a double, and within 64 bits as milliseconds */

struct TokenPolicy {
    jwt_alg_t algorithm;
    Bytes *verify_key;
    DigestMac *mac;  /* of a shared secret; else NULL */
    Bytes *sign_key; /* NULL: cannot sign */
    Bytes *issuer;   /* NULL: any */
    Bytes *audience; /* NULL: any */
    int64_t leeway_s;
    /* The head of the last token that named our algorithm, as it came: most have the same. */
    char head[HEAD_KEPT_MAX];
    size_t head_len;
};

static const struct {
    Str name;
    jwt_alg_t algorithm;
    bool is_shared;
} algorithms[] = {
    {{"HS256", 5}, JWT_ALG_HS256, true},  {{"HS384", 5}, JWT_ALG_HS384, true},
    {{"HS512", 5}, JWT_ALG_HS512, true},  {{"RS256", 5}, JWT_ALG_RS256, false},
    {{"RS384", 5}, JWT_ALG_RS384, false}, {{"RS512", 5}, JWT_ALG_RS512, false},
    {{"ES256", 5}, JWT_ALG_ES256, false}, {{"ES384", 5}, JWT_ALG_ES384, false},
    {{"ES512", 5}, JWT_ALG_ES512, false},
};

/* NULL for those whose signature libjwt checks. */
static DigestMac *new_mac(jwt_alg_t algorithm, Str key) {
    switch (algorithm) {
    case JWT_ALG_HS256: return digest_mac_new(256, key);
    case JWT_ALG_HS384: return digest_mac_new(384, key);
    case JWT_ALG_HS512: return digest_mac_new(512, key);
    default: return NULL;
    }
}

static Bytes *copy_or_null(Str text) {
    return text.len > 0 ? bytes_copy(text) : NULL;
}

static void wipe(Bytes *key) {
    if (key != NULL) secret_wipe(key->data, key->len);
    bytes_release(key);
}

void token_policy_free(TokenPolicy *policy) {
    if (policy == NULL) return;
    wipe(policy->verify_key);
    digest_mac_free(policy->mac);
    wipe(policy->sign_key);
    bytes_release(policy->issuer);
    bytes_release(policy->audience);
    mem_free(policy);
}

static Bytes *copy_key(const Bytes *key) {
    return key ? bytes_copy(bytes_str(key)) : NULL;
}

TokenPolicy *token_policy_copy(const TokenPolicy *policy) {
    TokenPolicy *copy = mem_alloc(sizeof *copy);
    *copy = *policy;
    copy->verify_key = copy_key(policy->verify_key);
    copy->mac = new_mac(policy->algorithm, bytes_str(policy->verify_key));
    copy->sign_key = copy_key(policy->sign_key);
    copy->issuer = copy_key(policy->issuer);
    copy->audience = copy_key(policy->audience);
    return copy;
}

static bool is_shared_secret(jwt_alg_t algorithm) {
    return algorithm == JWT_ALG_HS256 || algorithm == JWT_ALG_HS384 || algorithm == JWT_ALG_HS512;
}

int token_policy_renew(const TokenPolicy *policy, Str secret, TokenPolicy **renewed) {
    if (!is_shared_secret(policy->algorithm) || secret.len == 0) return ERR_INVALID;
    TokenPolicy *copy = token_policy_copy(policy);
    wipe(copy->verify_key);
    wipe(copy->sign_key);
    digest_mac_free(copy->mac);
    copy->verify_key = bytes_copy(secret);
    copy->mac = new_mac(copy->algorithm, secret);
    copy->sign_key = bytes_copy(secret);
    *renewed = copy;
    return 0;
}

static bool header_names(Str header, const char *algorithm) {
    Str object;
    Str value;
    JsonFault fault;
    if (json_check(header, CLAIMS_DEPTH_MAX, &object, &fault) != 0) return false;
    if (json_type(object) != JSON_OBJECT) return false;
    if (json_find(object, STR("crit"), &value)) return false; /* RFC 7515 4.1.11: none is understood */
    return json_find(object, STR("alg"), &value) && json_type(value) == JSON_STRING &&
           json_string_equal(value, str_of(algorithm));
}

static bool has_our_algorithm(TokenPolicy *policy, Str head) {
    if (str_equal(head, str_make(policy->head, policy->head_len))) return head.len > 0;
    Buf json = BUF_NONE;
    bool is_ours = base64_decode(BASE64_URL, head, &json) == 0 &&
                   header_names(buf_str(&json), jwt_alg_str(policy->algorithm));
    buf_deinit(&json);
    if (!is_ours || head.len > sizeof policy->head) return is_ours;
    memcpy(policy->head, head.data, head.len);
    policy->head_len = head.len;
    return true;
}

/* The claims that say something to us, raw; STR_NONE where there is none. */
typedef struct Claims {
    Str exp;
    Str nbf;
    Str iss;
    Str aud;
    Str sub;
} Claims;

static Claims find_claims(Str object) {
    Claims claims = {.exp = STR_NONE};
    const struct {
        Str name;
        Str *value;
    } known[] = {{STR("exp"), &claims.exp},
                 {STR("nbf"), &claims.nbf},
                 {STR("iss"), &claims.iss},
                 {STR("aud"), &claims.aud},
                 {STR("sub"), &claims.sub}};
    JsonWalk walk = json_walk(object);
    Str key, item;
    while (json_next(&walk, &key, &item)) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (json_string_equal(key, known[i].name)) *known[i].value = item;
        }
    }
    return claims;
}

/* A NumericDate as whole seconds (RFC 7519 2); a fraction is cut off. Left alone when there is none. */
static bool read_date(Str value, int64_t *seconds) {
    Str whole;
    Str fraction;
    if (value.len == 0) return true;
    if (json_type(value) != JSON_NUMBER) return false;
    if (memchr(value.data, 'e', value.len) || memchr(value.data, 'E', value.len)) return false;
    str_split(value, '.', &whole, &fraction);
    return text_parse_number(whole, seconds) == 0;
}

static int check_dates(const TokenPolicy *policy, const Claims *claims, int64_t now_s, Token *token,
                       const char **reason) {
    int64_t expires = 0;
    int64_t not_before = 0;
    if (!read_date(claims->exp, &expires) || !read_date(claims->nbf, &not_before)) {
        *reason = "its exp or nbf is no date";
        return ERR_INVALID;
    }
    bool has_expires = claims->exp.len > 0;
    if (has_expires && expires <= now_s - policy->leeway_s) {
        *reason = "it has expired";
        return ERR_EXPIRED;
    }
    if (claims->nbf.len > 0 && not_before > now_s + policy->leeway_s) {
        *reason = "it is not valid yet";
        return ERR_UNAVAILABLE;
    }
    token->expires_s = !has_expires ? 0 : expires < DATE_MAX ? expires : DATE_MAX;
    return 0;
}

static bool says(Str value, const Bytes *wanted) {
    return value.len > 0 && json_type(value) == JSON_STRING &&
           json_string_equal(value, bytes_str(wanted));
}

/* RFC 7519 4.1.3: one string or a list of them. */
static bool has_audience(Str value, const Bytes *wanted) {
    if (value.len == 0 || json_type(value) != JSON_ARRAY) return says(value, wanted);
    JsonWalk walk = json_walk(value);
    Str key;
    Str item;
    while (json_next(&walk, &key, &item)) {
        if (says(item, wanted)) return true;
    }
    return false;
}

/* Half a surrogate pair is decoded to U+FFFD, so that two names could become one: none may have it. */
static bool is_good_name(Str name) {
    static const Str replacement = {"\xEF\xBF\xBD", 3};
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c < 0x20 || c == 0x7F) return false;
        if (c == 0xEF && str_has_prefix(str_make(name.data + i, name.len - i), replacement))
            return false;
    }
    return name.len > 0;
}

static bool read_user(Str value, Token *token) {
    if (value.len == 0 || json_type(value) != JSON_STRING) return false;
    Buf name = BUF_NONE;
    json_decode_string(value, &name);
    bool is_good = is_good_name(buf_str(&name));
    if (is_good) token->user = bytes_copy(buf_str(&name));
    buf_deinit(&name);
    return is_good;
}

static int check_claims(const TokenPolicy *policy, Str object, int64_t now_s, Token *token,
                        const char **reason) {
    const Claims claims = find_claims(object);
    int err = check_dates(policy, &claims, now_s, token, reason);
    if (err != 0) return err;
    if (policy->issuer != NULL && !says(claims.iss, policy->issuer)) {
        *reason = "its issuer (iss) is not the configured one";
        return ERR_INVALID;
    }
    if (policy->audience != NULL && !has_audience(claims.aud, policy->audience)) {
        *reason = "its audience (aud) is not the configured one";
        return ERR_INVALID;
    }
    if (!read_user(claims.sub, token)) {
        *reason = "its subject (sub) must be a non-empty string without control characters";
        return ERR_INVALID;
    }
    token->claims = bytes_copy(object);
    return 0;
}

static bool jwt_accepts(const TokenPolicy *policy, Str text) {
    if (policy->verify_key->len > INT_MAX) return false;
    char *copy = mem_copy(text.data, text.len);
    jwt_t *jwt = NULL;
    int failed = jwt_decode(&jwt, copy, (const unsigned char *)policy->verify_key->data,
                            (int)policy->verify_key->len);
    mem_free(copy);
    bool is_good = !failed && jwt_get_alg(jwt) == policy->algorithm;
    if (!failed) jwt_free(jwt);
    return is_good;
}

/* libjwt passes over what is wrong or too much in the base64 of a signature; here a token has one form
 * only. The HMACs we check ourselves: libjwt takes ten times as long for them. */
static bool has_good_signature(const TokenPolicy *policy, Str text, Str signature) {
    Buf code = BUF_NONE;
    bool is_good = signature.len > 0 && base64_decode(BASE64_URL, signature, &code) == 0;
    if (is_good && policy->mac != NULL) {
        Str signed_text = str_make(text.data, text.len - signature.len - 1);
        char wanted[DIGEST_MAC_MAX];
        size_t wanted_len = digest_mac_make(policy->mac, signed_text, wanted);
        is_good = secret_equal(buf_str(&code), str_make(wanted, wanted_len));
    } else if (is_good) {
        is_good = jwt_accepts(policy, text);
    }
    buf_deinit(&code);
    return is_good;
}

/* Three parts, the first naming the configured algorithm, the last a good signature of the others. */
static bool is_signed(TokenPolicy *policy, Str text, Str *payload) {
    Str head;
    Str rest;
    Str signature;
    return str_split(text, '.', &head, &rest) && str_split(rest, '.', payload, &signature) &&
           has_our_algorithm(policy, head) && has_good_signature(policy, text, signature);
}

int token_verify(TokenPolicy *policy, Str text, int64_t now_s, Token *token, const char **reason) {
    *token = (Token){NULL, NULL, 0};
    *reason = "it is no token of this server";
    if (text.len == 0 || text.len > TOKEN_BYTES_MAX || memchr(text.data, '\0', text.len) != NULL) {
        return ERR_INVALID;
    }
    Str payload;
    if (!is_signed(policy, text, &payload)) return ERR_INVALID;
    Buf json = BUF_NONE;
    Str claims;
    JsonFault fault;
    int err = base64_decode(BASE64_URL, payload, &json);
    if (err == 0) err = json_check(buf_str(&json), CLAIMS_DEPTH_MAX, &claims, &fault);
    if (err == 0 && json_type(claims) != JSON_OBJECT) err = ERR_INVALID;
    if (err != 0) {
        err = ERR_INVALID;
    } else {
        err = check_claims(policy, claims, now_s, token, reason);
    }
    buf_deinit(&json);
    if (err != 0) token_deinit(token);
    return err;
}

void token_deinit(Token *token) {
    bytes_release(token->user);
    bytes_release(token->claims);
    *token = (Token){NULL, NULL, 0};
}

int token_make(const TokenPolicy *policy, Str claims, Bytes **text) {
    if (policy->sign_key == NULL || policy->sign_key->len > INT_MAX) return ERR_UNAVAILABLE;
    jwt_t *jwt = NULL;
    if (jwt_new(&jwt) != 0) return ERR_UNAVAILABLE;
    char *copy = mem_copy(claims.data, claims.len);
    int err = jwt_add_grants_json(jwt, copy) != 0 ? ERR_INVALID : 0;
    mem_free(copy);
    if (err == 0 && jwt_set_alg(jwt, policy->algorithm, (const unsigned char *)policy->sign_key->data,
                                (int)policy->sign_key->len) != 0) {
        err = ERR_UNAVAILABLE;
    }
    char *encoded = err == 0 ? jwt_encode_str(jwt) : NULL;
    if (err == 0 && encoded == NULL) err = ERR_UNAVAILABLE;
    if (err == 0) *text = bytes_copy(str_of(encoded));
    free(encoded);
    jwt_free(jwt);
    return err;
}

static bool is_public_key(Str pem) {
    Str label;
    Str rest;
    str_split(str_trim(pem), '\n', &label, &rest);
    label = str_trim(label);
    return str_equal(label, STR("-----BEGIN PUBLIC KEY-----")) ||
           str_equal(label, STR("-----BEGIN RSA PUBLIC KEY-----"));
}

/* A key pair shows that it fits by a token; a public key alone shows what it is when the first one comes. */
static bool keys_fit(TokenPolicy *policy) {
    if (policy->sign_key == NULL) return true;
    Bytes *text;
    if (token_make(policy, STR("{}"), &text) != 0) return false;
    Str payload;
    bool is_good = is_signed(policy, bytes_str(text), &payload);
    bytes_release(text);
    return is_good;
}

int token_policy_new(const TokenSettings *settings, TokenPolicy **out) {
    size_t count = sizeof algorithms / sizeof algorithms[0];
    size_t i = 0;
    while (i < count && !str_equal(algorithms[i].name, settings->algorithm)) i++;
    if (i == count) return ERR_INVALID;
    bool is_shared = algorithms[i].is_shared;
    bool has_key = is_shared ? settings->secret.len > 0 : is_public_key(settings->public_key);
    if (!has_key) return ERR_INVALID;
    TokenPolicy *policy = mem_zalloc(sizeof *policy);
    policy->algorithm = algorithms[i].algorithm;
    policy->verify_key = bytes_copy(is_shared ? settings->secret : settings->public_key);
    policy->mac = new_mac(policy->algorithm, bytes_str(policy->verify_key));
    policy->sign_key = copy_or_null(is_shared ? settings->secret : settings->private_key);
    policy->issuer = copy_or_null(settings->issuer);
    policy->audience = copy_or_null(settings->audience);
    policy->leeway_s = settings->leeway_s;
    if (!keys_fit(policy)) {
        token_policy_free(policy);
        return ERR_INVALID;
    }
    *out = policy;
    return 0;
}
