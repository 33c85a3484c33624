/* SPDX-License-Identifier: Apache-2.0
 *
 * template: texts with places such as {user} in them, by which the tool speaks to servers of other
 * makes. Braces around anything but a known name stay as they are, so that JSON can be written.
 */
#ifndef BENCH_TEMPLATE_H
#define BENCH_TEMPLATE_H

#include "base/buf.h"

typedef struct TemplateField {
    Str name;
    Str value;
} TemplateField;

/* Appends the text with its places filled. The fields end with one without a name. */
void template_fill(Buf *out, Str text, const TemplateField *fields);

/* Whether there is a place of this name. */
bool template_has(Str text, Str name);

#endif
