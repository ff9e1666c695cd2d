/* svg — small pieces of SVG text. Private to the report room. */
#ifndef AM_SVG_H
#define AM_SVG_H

#include "base/base.h"

/* At most two decimals, '.' in any locale. */
void svg_number(FILE *stream, double value);
/* ` name="value"` */
void svg_attribute(FILE *stream, const char *name, double value);
/* XML-escaped; what XML does not allow becomes U+FFFD. */
void svg_text(FILE *stream, const char *text);
/* A line of text: class, anchor "start", "middle" or "end", font size in px as the class sets it.
 * It is set smaller when it would be wider than `room` px: nothing is ever cut off. */
typedef struct {
    const char *class, *anchor;
    double size, room;
    bool bold;
} svg_font;
void svg_line_of_text(FILE *stream, svg_font font, double x, double y, const char *text);
/* Upper estimate of the width in px of `text` set in a sans-serif of `size` px. */
double svg_text_width(const char *text, double size, bool bold);

#endif
