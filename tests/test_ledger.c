/* ledger: the arithmetic of what was saved. */
#include "tune/tune.h"

#include <criterion/criterion.h>
#include <math.h>

/* The published figures: (124.0 + 27.8)/35.3 = 4.3 refits. */
Test(ledger, ratios_by_hand)
{
    ledger l = {.fit = 124.0,
                .curve = 27.8,
                .posterior = 3.0,
                .refit = 35.3,
                .refits_batched = 303.6,
                .points = 20};
    ledger_close(&l);
    cr_expect_float_eq(l.break_even, 151.8 / 35.3, 1e-12);
    cr_expect_float_eq(l.break_even, 4.3, 5e-3);
    cr_expect_float_eq(l.speedup_one_by_one, 706.0 / 151.8, 1e-12);
    cr_expect_float_eq(l.speedup_batched, 2.0, 1e-12);
}

Test(ledger, what_was_not_measured_stays_unknown)
{
    ledger l = {.fit = 10.0, .curve = 0.1, .refit = NAN, .refits_batched = NAN, .points = 20};
    ledger_close(&l);
    cr_expect(isnan(l.break_even) && isnan(l.speedup_one_by_one) && isnan(l.speedup_batched));
    l.refit = 5.05;
    ledger_close(&l);
    cr_expect_float_eq(l.break_even, 2.0, 1e-12);
    cr_expect_float_eq(l.speedup_one_by_one, 10.0, 1e-12);
    cr_expect(isnan(l.speedup_batched));
}
