/* SPDX-License-Identifier: Apache-2.0
 *
 * trial_api: the module core.trial, by which lua/test/ drives a Trial. In the state of `chatty test` only.
 */
#ifndef TRIAL_API_H
#define TRIAL_API_H

#include "script/script.h"

/* Registers the module for `require`. */
void trial_api_open(Script *script);

#endif
