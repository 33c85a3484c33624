/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"

static const uint64_t DIGEST_PRIME = 1099511628211u; /* of FNV-1a */

void check_init(Check *check, size_t sessions, size_t channels, size_t publishers) {
    *check = (Check){.sessions = sessions, .channels = channels, .publishers = publishers};
    check->sent = mem_zalloc(channels * publishers * sizeof *check->sent);
    check->next = mem_zalloc((sessions * publishers + 1) * sizeof *check->next);
    check->orders = mem_zalloc((sessions + 1) * sizeof *check->orders);
}

void check_deinit(Check *check) {
    mem_free(check->sent);
    mem_free(check->next);
    mem_free(check->orders);
}

static size_t count_members(const Check *check, size_t channel) {
    return check->sessions / check->channels + (channel < check->sessions % check->channels);
}

uint32_t check_number(Check *check, size_t channel, size_t publisher) {
    check->expected += count_members(check, channel);
    return check->sent[channel * check->publishers + publisher]++;
}

void check_see(Check *check, size_t session, const Stamp *stamp) {
    check->received++;
    if (stamp->publisher >= check->publishers) {
        check->strange++;
        return;
    }
    uint32_t *next = &check->next[session * check->publishers + stamp->publisher];
    if (stamp->number < *next) {
        check->repeated++;
        return;
    }
    check->lost += stamp->number - *next;
    *next = stamp->number + 1;
    uint64_t *order = &check->orders[session];
    *order = (*order ^ (((uint64_t)stamp->publisher << 32) + stamp->number + 1)) * DIGEST_PRIME;
}

size_t check_close(Check *check) {
    size_t differing = 0;
    for (size_t session = 0; session < check->sessions; session++) {
        size_t channel = session % check->channels;
        const uint32_t *sent = check->sent + channel * check->publishers;
        const uint32_t *next = check->next + session * check->publishers;
        for (size_t i = 0; i < check->publishers; i++) {
            if (next[i] < sent[i]) check->lost += sent[i] - next[i];
        }
        differing += check->orders[session] != check->orders[channel];
    }
    return differing;
}
