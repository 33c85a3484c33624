/* SPDX-License-Identifier: Apache-2.0
 *
 *     type  attachments-  /namespace,  ack  JSON
 *     "2"                                   ["hello",1]
 *     "5"   "1-"          "/admin,"    "7"  ["file",{"_placeholder":true,"num":0}]   and one binary
 *
 * Each part but the type may be left out; the main namespace always is.
 */
#include "socketio/sio.h"

#include "base/ensure.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/ws.h"

enum { ACK_DIGITS_MAX = 15, TYPE_BINARY_OFFSET = SIO_BINARY_EVENT - SIO_EVENT };

typedef struct SioParts {
    Buf text;
    Bytes **binaries;
    Str *views;
    uint32_t wanted, count;
} SioParts;

void sio_init(Sio *sio) {
    sio->parts = NULL;
}

static void free_parts(SioParts *parts) {
    if (parts == NULL) return;
    for (uint32_t i = 0; i < parts->count; i++) bytes_release(parts->binaries[i]);
    mem_free(parts->binaries);
    mem_free(parts->views);
    buf_deinit(&parts->text);
    mem_free(parts);
}

void sio_deinit(Sio *sio) {
    free_parts(sio->parts);
    sio->parts = NULL;
}

/* --- reading --- */

static size_t count_digits(Str text) {
    size_t n = 0;
    while (n < text.len && text.data[n] >= '0' && text.data[n] <= '9') n++;
    return n;
}

static Str skip(Str text, size_t len) {
    return str_make(text.data + len, text.len - len);
}

static bool take_type(Str *rest, int *type) {
    if (rest->len == 0 || rest->data[0] < '0' || rest->data[0] > '0' + SIO_BINARY_ACK) return false;
    *type = rest->data[0] - '0';
    *rest = skip(*rest, 1);
    return true;
}

static bool take_count(Str *rest, int type, uint32_t *count) {
    *count = 0;
    if (type < SIO_BINARY_EVENT) return true;
    size_t digits = count_digits(*rest);
    int64_t number;
    if (digits == rest->len || rest->data[digits] != '-') return false;
    if (text_parse_number(str_make(rest->data, digits), &number) != 0) return false;
    if (number > UINT32_MAX) return false;
    *count = (uint32_t)number;
    *rest = skip(*rest, digits + 1);
    return true;
}

/* Up to the comma, or all when there is none. A query behind it, which older clients send, is cut off. */
static bool take_namespace(Str *rest, Str *name_space) {
    *name_space = STR("/");
    if (rest->len == 0 || rest->data[0] != '/') return true;
    Str tail, query;
    if (!str_split(*rest, ',', name_space, &tail)) tail = STR_NONE;
    *rest = tail;
    str_split(*name_space, '?', name_space, &query);
    return name_space->len <= SIO_NAMESPACE_MAX;
}

static bool take_ack(Str *rest, int64_t *ack) {
    *ack = SIO_NO_ACK;
    size_t digits = count_digits(*rest);
    if (digits == 0) return true;
    if (digits > ACK_DIGITS_MAX || text_parse_number(str_make(rest->data, digits), ack) != 0)
        return false;
    *rest = skip(*rest, digits);
    return true;
}

/* Whether each placeholder within the value stands for one of `count` binaries. Each level reads the text
 * anew, so there must not be many. */
static bool placeholders_are_right(Str value, uint32_t count, unsigned levels) {
    JsonType type = json_type(value);
    if (type != JSON_OBJECT && type != JSON_ARRAY) return true;
    if (levels == 0) return false;
    Str mark, number, key, item;
    int64_t index;
    bool is_placeholder = type == JSON_OBJECT && json_find(value, STR("_placeholder"), &mark) &&
                          json_type(mark) == JSON_TRUE;
    if (is_placeholder) {
        return json_find(value, STR("num"), &number) && text_parse_number(number, &index) == 0 &&
               index < count;
    }
    JsonWalk walk = json_walk(value);
    while (json_next(&walk, &key, &item)) {
        if (!placeholders_are_right(item, count, levels - 1)) return false;
    }
    return true;
}

const Str sio_reserved[SIO_RESERVED_COUNT] = {{"connect", 7},      {"connect_error", 13},
                                              {"disconnect", 10},  {"disconnecting", 13},
                                              {"newListener", 11}, {"removeListener", 14}};

static bool is_reserved(Str event) {
    for (size_t i = 0; i < SIO_RESERVED_COUNT; i++) {
        if (json_string_equal(event, sio_reserved[i])) return true;
    }
    return false;
}

static bool event_is_right(Str event) {
    JsonType type = json_type(event);
    return type == JSON_NUMBER || (type == JSON_STRING && !is_reserved(event));
}

/* The items of the array: the name first, if it is an event's, then the arguments. */
static bool read_items(SioPacket *packet, Str array) {
    JsonWalk walk = json_walk(array);
    Str key, item;
    packet->count = 0;
    if (packet->type == SIO_EVENT && !json_next(&walk, &key, &packet->event)) return false;
    while (json_next(&walk, &key, &item)) {
        const char *begin = packet->count++ == 0 ? item.data : packet->arguments.data;
        packet->arguments = str_make(begin, (size_t)(item.data + item.len - begin));
    }
    return packet->type != SIO_EVENT || event_is_right(packet->event);
}

static bool read_data(SioPacket *packet, Str data, unsigned depth_max) {
    JsonFault fault;
    Str value = STR_NONE;
    if (data.len > 0 && json_check(data, depth_max, &value, &fault) != 0) return false;
    switch (packet->type) {
    case SIO_CONNECT:
        packet->auth = value;
        return packet->ack == SIO_NO_ACK && (value.len == 0 || json_type(value) == JSON_OBJECT);
    case SIO_DISCONNECT: return packet->ack == SIO_NO_ACK && value.len == 0;
    case SIO_ACK:
        if (packet->ack == SIO_NO_ACK) return false;
        break;
    case SIO_EVENT: break;
    default: return false; /* only the server refuses */
    }
    return value.len > 0 && json_type(value) == JSON_ARRAY && read_items(packet, value) &&
           (packet->binary_count == 0 ||
            placeholders_are_right(value, packet->binary_count, SIO_BINARY_DEPTH_MAX));
}

static bool parse(Str text, unsigned depth_max, SioPacket *packet) {
    *packet = (SioPacket){.text = text};
    Str rest = text;
    int type;
    if (!take_type(&rest, &type)) return false;
    if (!take_count(&rest, type, &packet->binary_count)) return false;
    if (type >= SIO_BINARY_EVENT) type -= TYPE_BINARY_OFFSET;
    packet->type = (SioType)type;
    return take_namespace(&rest, &packet->name_space) && take_ack(&rest, &packet->ack) &&
           read_data(packet, rest, depth_max);
}

void sio_parse(Str text, SioPacket *packet) {
    bool is_right = parse(text, JSON_DEPTH_MAX, packet);
    ensure(is_right);
}

static SioFed feed_binary(Sio *sio, Str message, SioPacket *packet) {
    SioParts *parts = sio->parts;
    if (parts == NULL) return SIO_FED_FAULT;
    parts->binaries[parts->count++] = bytes_copy(message);
    if (parts->count < parts->wanted) return SIO_FED_MORE;
    sio_parse(buf_str(&parts->text), packet);
    for (uint32_t i = 0; i < parts->count; i++) parts->views[i] = bytes_str(parts->binaries[i]);
    packet->binaries = parts->views;
    return SIO_FED_PACKET;
}

static void start_parts(Sio *sio, const SioPacket *packet) {
    sio->parts = mem_zalloc(sizeof *sio->parts);
    sio->parts->wanted = packet->binary_count;
    sio->parts->binaries = mem_grow(NULL, packet->binary_count, sizeof *sio->parts->binaries);
    sio->parts->views = mem_grow(NULL, packet->binary_count, sizeof *sio->parts->views);
    buf_add(&sio->parts->text, packet->text);
}

SioFed sio_feed(Sio *sio, const SioLimits *limits, bool is_binary, Str message, SioPacket *packet) {
    bool is_complete = sio->parts != NULL && sio->parts->count == sio->parts->wanted;
    if (is_complete) sio_deinit(sio); /* the packet given last is done with */
    if (is_binary) return feed_binary(sio, message, packet);
    if (sio->parts != NULL || !parse(message, limits->json_depth_max, packet)) return SIO_FED_FAULT;
    if (packet->binary_count == 0) return SIO_FED_PACKET;
    if (packet->binary_count > limits->attachments_max) return SIO_FED_FAULT;
    start_parts(sio, packet);
    return SIO_FED_MORE;
}

/* --- writing --- */

static void add_head(Buf *out, const SioFrame *frame) {
    int type = (int)frame->type + (frame->binary_count > 0 ? TYPE_BINARY_OFFSET : 0);
    buf_addf(out, "4%d", type);
    if (frame->binary_count > 0) buf_addf(out, "%u-", (unsigned)frame->binary_count);
    if (!str_equal(frame->name_space, STR("/"))) {
        buf_add(out, frame->name_space);
        buf_add_char(out, ',');
    }
    if (frame->ack != SIO_NO_ACK) buf_addf(out, "%lld", (long long)frame->ack);
}

Bytes *sio_encode(const SioFrame *frame) {
    Buf head = BUF_NONE;
    add_head(&head, frame);
    size_t len = head.len + frame->data.len;
    size_t header_len = ws_header_len(len);
    Bytes *bytes = bytes_new(header_len + len);
    ws_write_header(bytes->data, WS_TEXT, len);
    memcpy(bytes->data + header_len, head.data, head.len);
    if (frame->data.len > 0) {
        memcpy(bytes->data + header_len + head.len, frame->data.data, frame->data.len);
    }
    buf_deinit(&head);
    return bytes;
}

static void add_item(Buf *out, Str item) {
    if (item.len == 0) return;
    if (out->data[out->len - 1] != '[') buf_add_char(out, ',');
    buf_add(out, item);
}

void sio_add_arguments(Buf *out, const MessageParts *parts, bool is_spread) {
    buf_reserve(out, parts->event.len + parts->attributes.len + parts->id.len + 8);
    buf_add_char(out, '[');
    add_item(out, parts->event);
    if (is_spread && json_type(parts->attributes) == JSON_ARRAY) {
        add_item(out, str_trim(str_make(parts->attributes.data + 1, parts->attributes.len - 2)));
    } else {
        add_item(out, parts->attributes);
    }
    if (parts->id.len > 0) {
        buf_add(out, STR(",\""));
        buf_add(out, parts->id);
        buf_add_char(out, '"');
    }
    buf_add_char(out, ']');
}

static Bytes *encode_event(const MessageParts *parts, Str name_space, int64_t ack) {
    Buf data = BUF_NONE;
    sio_add_arguments(&data, parts, false);
    SioFrame frame = {.type = SIO_EVENT, .name_space = name_space, .ack = ack, .data = buf_str(&data)};
    Bytes *bytes = sio_encode(&frame);
    buf_deinit(&data);
    return bytes;
}

/* Takes both. */
static Bytes *join(Bytes *first, Bytes *second) {
    Bytes *both = bytes_new(first->len + second->len);
    memcpy(both->data, first->data, first->len);
    memcpy(both->data + first->len, second->data, second->len);
    bytes_release(first);
    bytes_release(second);
    return both;
}

/* A client keeps the text at the end of an event's arguments, as where it goes on after a loss. Of one that is to be
 * acknowledged it sees a function there: so the id comes behind it, in an event of its own. */
Bytes *sio_encode_event(const MessageParts *parts, Str name_space) {
    int64_t ack;
    if (parts->ack.len == 0 || text_parse_number(parts->ack, &ack) != 0)
        return encode_event(parts, name_space, SIO_NO_ACK);
    MessageParts event = {.event = parts->event, .attributes = parts->attributes};
    Bytes *frame = encode_event(&event, name_space, ack);
    if (parts->id.len == 0) return frame;
    MessageParts offset = {.event = STR("\"chatty:offset\""), .id = parts->id};
    return join(frame, encode_event(&offset, name_space, SIO_NO_ACK));
}

Bytes *sio_encode_message(const MessageParts *parts, MessageParts *placed) {
    (void)placed; /* never the first encoding */
    return sio_encode_event(parts, STR("/"));
}
