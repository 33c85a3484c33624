/* SPDX-License-Identifier: Apache-2.0
 *
 * A number is seven bits to a byte, the lowest first; the eighth says that more follow.
 */
#include "base/pack.h"

enum { MORE = 0x80, NUMBER_BITS = 64 };

static const Str nothing = {"", 0};

void pack_add_number(Buf *row, uint64_t number) {
    for (; number >= MORE; number >>= 7) buf_add_char(row, (char)(number | MORE));
    buf_add_char(row, (char)number);
}

void pack_add_text(Buf *row, Str text) {
    pack_add_number(row, text.len);
    buf_add(row, text);
}

static Str take(Pack *pack, uint64_t len) {
    if (pack->is_bad || len > pack->rest.len) {
        *pack = (Pack){nothing, true};
        return nothing;
    }
    Str taken = str_make(pack->rest.data, len);
    pack->rest = str_make(pack->rest.data + len, pack->rest.len - len);
    return taken;
}

uint64_t pack_take_number(Pack *pack) {
    uint64_t number = 0;
    for (int shift = 0; shift < NUMBER_BITS; shift += 7) {
        Str byte = take(pack, 1);
        if (pack->is_bad) return 0;
        number |= (uint64_t)(byte.data[0] & (MORE - 1)) << shift;
        if ((byte.data[0] & MORE) == 0) return number;
    }
    pack->is_bad = true;
    return 0;
}

Str pack_take_text(Pack *pack) {
    return take(pack, pack_take_number(pack));
}

uint32_t pack_take_count(Pack *pack) {
    uint64_t count = pack_take_number(pack);
    if (count > pack->rest.len || count > UINT32_MAX) *pack = (Pack){nothing, true};
    return pack->is_bad ? 0 : (uint32_t)count;
}
