/* plain_text — texts for terminals that show ASCII alone. Private to the report room. */
#ifndef AM_PLAIN_TEXT_H
#define AM_PLAIN_TEXT_H

#include <stddef.h>

/* `text` with every character that is not ASCII spelt out ("λ" is "lambda", "–" is "-"), '?' for
 * those that have no spelling; cut to `size`. */
void plain_text(const char *text, char *out, size_t size);

#endif
