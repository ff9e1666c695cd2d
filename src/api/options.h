/* options — the structs of options of amortune.h: defaults, growth, limits. */
#ifndef AM_OPTIONS_H
#define AM_OPTIONS_H

#include "base/base.h"

/* Copies defaults into a caller's struct of `size` bytes, which may be older and shorter. */
void options_hand_out(void *options, size_t size, void *defaults, size_t known);
/* Copies a caller's struct, which begins with its size, over the defaults in `into`; NULL leaves
 * them. AM_ERR_USAGE for a size that no version of the library had. */
am_status options_take(void *into, size_t known, const void *from, const char *type, am_error *err);

/* Replaces a NULL text by its default; the text must then be one of `words` (ended by NULL) or,
 * with extra not NULL, that word. */
am_status options_word(const char **text, const char *fallback, const char *name,
                       const char *const *words, const char *extra, am_error *err);
am_status options_int(int64_t value, const char *name, int64_t low, int64_t high, am_error *err);
/* above: low itself is excluded. */
am_status options_real(double value, const char *name, double low, double high, bool above,
                       am_error *err);

#endif
