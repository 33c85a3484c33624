/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

static const TemplateField *find_field(Str text, const TemplateField *fields) {
    for (; fields->name.len > 0; fields++) {
        size_t len = fields->name.len;
        if (text.len < len + 2 || text.data[len + 1] != '}') continue;
        if (memcmp(text.data + 1, fields->name.data, len) == 0) return fields;
    }
    return NULL;
}

void template_fill(Buf *out, Str text, const TemplateField *fields) {
    while (text.len > 0) {
        const char *brace = memchr(text.data, '{', text.len);
        size_t before = brace ? (size_t)(brace - text.data) : text.len;
        buf_add(out, str_make(text.data, before));
        text = str_make(text.data + before, text.len - before);
        if (text.len == 0) return;
        const TemplateField *field = find_field(text, fields);
        size_t used = field ? field->name.len + 2 : 1;
        buf_add(out, field ? field->value : str_make(text.data, 1));
        text = str_make(text.data + used, text.len - used);
    }
}

bool template_has(Str text, Str name) {
    const TemplateField fields[] = {{name, STR_NONE}, {STR_NONE, STR_NONE}};
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '{') continue;
        if (find_field(str_make(text.data + i, text.len - i), fields) != NULL) return true;
    }
    return false;
}
