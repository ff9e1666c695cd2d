/* What a test asks of a call: that it succeeds, or that it is refused and says why. */
#ifndef AM_TEST_MUST_H
#define AM_TEST_MUST_H

#include "base/base.h"

#include <criterion/criterion.h>
#include <string.h>

static inline void must(am_status status, const am_error *err)
{
    cr_assert_eq(status, AM_OK, "%s", err->message);
}

static inline void refused(am_status status, const am_error *err, const char *part)
{
    cr_expect_eq(status, AM_ERR_USAGE);
    cr_expect(strstr(err->message, part) != NULL, "%s", err->message);
}

#endif
