/* SPDX-License-Identifier: Apache-2.0 */
#include "mint.h"

#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "data/token.h"

enum { TTL_S = 86400 };

struct Mint {
    const Plan *plan;
    TokenPolicy *policy; /* NULL: there is no secret */
};

int mint_new(const Plan *plan, Mint **mint) {
    TokenPolicy *policy = NULL;
    TokenSettings settings = {.algorithm = plan->algorithm, .secret = plan->secret};
    if (plan->secret.len > 0 && token_policy_new(&settings, &policy) != 0) return ERR_INVALID;
    *mint = mem_zalloc(sizeof **mint);
    **mint = (Mint){plan, policy};
    return 0;
}

void mint_free(Mint *mint) {
    if (mint == NULL) return;
    token_policy_free(mint->policy);
    mem_free(mint);
}

static void add_claim(Buf *claims, const char *name, Str value) {
    if (value.len == 0) return;
    buf_addf(claims, ",\"%s\":", name);
    json_encode_string(value, claims);
}

int mint_make(const Mint *mint, Str user, Bytes **token) {
    if (mint->policy == NULL) return ERR_UNAVAILABLE;
    Buf claims = BUF_NONE;
    buf_addf(&claims, "{\"exp\":%lld", (long long)time(NULL) + TTL_S);
    add_claim(&claims, "sub", user);
    add_claim(&claims, "iss", mint->plan->issuer);
    add_claim(&claims, "aud", mint->plan->audience);
    buf_add_char(&claims, '}');
    int err = token_make(mint->policy, buf_str(&claims), token);
    buf_deinit(&claims);
    return err == 0 ? 0 : ERR_UNAVAILABLE;
}
