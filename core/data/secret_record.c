/* SPDX-License-Identifier: Apache-2.0 */
#include "data/secret_record.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "data/secret.h"

enum { RECORD_DEPTH_MAX = 2 };

/* {"replaces": digest of JWT_SECRET, "secret": text, "previous": text, "until": milliseconds} */
static bool replaces(Str record, Str configured) {
    Str item;
    Buf digest = BUF_NONE;
    secret_hash(configured, &digest);
    bool is_same = json_find(record, STR("replaces"), &item) && json_type(item) == JSON_STRING &&
                   json_string_equal(item, buf_str(&digest));
    buf_deinit(&digest);
    return is_same;
}

static int change(Keyring *ring, Str record, Str name, int64_t until_ms) {
    Str item;
    Buf text = BUF_NONE;
    if (!json_find(record, name, &item) || json_type(item) != JSON_STRING) return ERR_INVALID;
    json_decode_string(item, &text);
    int err = keyring_change(ring, buf_str(&text), until_ms);
    secret_wipe(text.data, text.len);
    buf_deinit(&text);
    return err;
}

static int64_t until_of(Str record) {
    Str item;
    if (!json_find(record, STR("until"), &item) || json_type(item) != JSON_NUMBER) return 0;
    int64_t until_ms = strtoll(item.data, NULL, 10);
    return until_ms > clock_wall_ms() ? until_ms : 0;
}

static int apply(Keyring *ring, Str record) {
    int64_t until_ms = until_of(record);
    int err = until_ms > 0 ? change(ring, record, STR("previous"), 0) : 0;
    return err == 0 ? change(ring, record, STR("secret"), until_ms) : err;
}

int secret_record_load(Store *store, Str configured, Keyring *ring) {
    Buf text = BUF_NONE;
    Str record;
    JsonFault fault;
    int err = store_get(store, STR("secret"), STR("jwt"), clock_wall_ms(), &text);
    if (err == ERR_NOT_FOUND) return 0;
    if (err == 0) err = json_check(buf_str(&text), RECORD_DEPTH_MAX, &record, &fault);
    if (err == 0 && json_type(record) == JSON_OBJECT) {
        if (replaces(record, configured)) {
            err = apply(ring, record);
        } else {
            log_line(LOG_WARN,
                     "JWT_SECRET was changed: the secret of PUT /auth/update-jwt-secret is left out");
        }
    }
    secret_wipe(text.data, text.len);
    buf_deinit(&text);
    return err;
}
