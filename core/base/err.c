/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

const char *err_name(int err) {
    switch (err) {
#define ERR_NAME(name, number, text) \
    case number: return #name;
        ERR_MAP(ERR_NAME)
#undef ERR_NAME
    default: return "UNKNOWN";
    }
}

const char *err_text(int err) {
    switch (err) {
#define ERR_TEXT(name, number, text) \
    case number: return text;
        ERR_MAP(ERR_TEXT)
#undef ERR_TEXT
    default: return "an unknown error";
    }
}
