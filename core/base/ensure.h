/* SPDX-License-Identifier: Apache-2.0
 *
 * ensure: a check that stays in every build. Use it where going on would corrupt state; use assert
 * where a debug build is enough. Says where and what on stderr, then aborts.
 */
#ifndef BASE_ENSURE_H
#define BASE_ENSURE_H

#define ensure(condition) ((condition) ? (void)0 : ensure_fail(#condition, __FILE__, __LINE__))

__attribute__((noreturn)) void ensure_fail(const char *condition, const char *file, int line);

#endif
