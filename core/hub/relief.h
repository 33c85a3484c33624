/* SPDX-License-Identifier: Apache-2.0
 *
 * relief: ends the slowest sessions of a worker when too much waits for all together: those for which most waits,
 * longer than a moment. So events of the others are not refused for as long as slow ones bear it. Worker's thread
 * only.
 */
#ifndef HUB_RELIEF_H
#define HUB_RELIEF_H

#include "hub/registry.h"

/* Ends as many as are needed to be rid of so many thousandths of what is overdue here. */
void relief_end_slowest(const Registry *registry, uint32_t thousandths);

#endif
