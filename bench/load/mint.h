/* SPDX-License-Identifier: Apache-2.0
 *
 * mint: makes the tokens of the sessions as the server under test wants them. One thread.
 */
#ifndef BENCH_MINT_H
#define BENCH_MINT_H

#include "base/bytes.h"
#include "plan.h"

typedef struct Mint Mint;

/* Borrows the plan's texts. ERR_INVALID: its algorithm and secret make no tokens; a plan without secret
 * gives a mint that makes none. Gives. */
WARN_UNUSED int mint_new(const Plan *plan, Mint **mint);
void mint_free(Mint *mint); /* takes; NULL is fine */

/* A token of a day for this user. ERR_UNAVAILABLE. Gives. */
WARN_UNUSED int mint_make(const Mint *mint, Str user, Bytes **token);

#endif
