/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the bytes as a polling body. What was read and is written again must be read as the same.
 */
#include "base/ensure.h"
#include "base/text.h"
#include "net/ws.h"
#include "socketio/eio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Bytes *encode(const EioPacket *packet) {
    return packet->is_binary ? ws_encode(WS_BINARY, packet->data)
                             : eio_encode(packet->type, packet->data);
}

/* All packets up to the end or the first fault; the frames of them as a body. */
static size_t copy(Str body, Buf *out) {
    EioWalk walk = eio_walk(body);
    EioPacket packet;
    int err = 0;
    size_t count = 0;
    while (eio_next(&walk, &packet, &err)) {
        ensure(err == 0 && packet.type <= EIO_NOOP);
        ensure(packet.is_binary ? packet.type == EIO_MESSAGE : text_is_utf8(packet.data));
        Bytes *frame = encode(&packet);
        eio_add_frames(out, frame);
        bytes_release(frame);
        count++;
    }
    ensure(err == 0 || err == ERR_INVALID);
    ensure(!eio_next(&walk, &packet, &err));
    eio_end(&walk);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str body = str_make((const char *)data, size);
    Buf once = BUF_NONE, twice = BUF_NONE;
    size_t count = copy(body, &once);
    ensure(once.len <= body.len);
    if (count > 0) ensure(copy(buf_str(&once), &twice) == count);
    ensure(str_equal(buf_str(&once), buf_str(&twice)));
    buf_deinit(&once);
    buf_deinit(&twice);
    return 0;
}
