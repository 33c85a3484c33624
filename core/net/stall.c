/* SPDX-License-Identifier: Apache-2.0 */
#include "net/stall.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

/* What the peer has not taken, the kernel's buffer included: it holds megabytes, and does not tell
 * of room before a third of it is free, which takes a slow peer longer than any timeout. */
static size_t not_taken(const Outbox *outbox, int fd) {
    int buffered = 0;
    ioctl(fd, SIOCOUTQ, &buffered);
    return outbox->queued + (size_t)buffered;
}

static uint32_t last_slot(const Outbox *outbox) {
    return outbox->popped + outbox->count - 1;
}

static void start_age(Stall *stall, const Outbox *outbox, uint64_t now_ms) {
    stall->aged_ms = (uint32_t)now_ms != 0 ? (uint32_t)now_ms : 1;
    stall->aged_slot = last_slot(outbox);
}

void stall_start(Stall *stall, const Outbox *outbox, int fd, uint64_t now_ms) {
    stall->left = not_taken(outbox, fd);
    if (stall->aged_ms == 0) start_age(stall, outbox, now_ms);
}

bool stall_has_eased(Stall *stall, const Outbox *outbox, int fd) {
    size_t before = stall->left;
    stall->left = not_taken(outbox, fd);
    return stall->left < before;
}

uint32_t stall_age_ms(Stall *stall, const Outbox *outbox, uint64_t now_ms) {
    if (stall->aged_ms == 0) return 0;
    bool has_left = (int32_t)(outbox->popped - stall->aged_slot) > 0;
    if (has_left) start_age(stall, outbox, now_ms);
    return (uint32_t)now_ms - stall->aged_ms;
}

/* Numbers behind what was dropped are lower now. */
void stall_drop(Stall *stall, const Outbox *outbox, size_t len) {
    stall->left -= len;
    if ((int32_t)(stall->aged_slot - last_slot(outbox)) > 0) stall->aged_slot = last_slot(outbox);
}
