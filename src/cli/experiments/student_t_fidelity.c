/* How the generators of location and scale answer to the weights ω, against exact fits under the same
 * ω. A draw is the pair (μ/σ̂, log σ), σ̂ the mean of the exact fits': both numbers are then free of the
 * data's unit and of like size. A σ that is not positive, which a linear generator can give, is no
 * number. */
#include "cli/experiments/student_t.h"

#include <math.h>

static void values_of(const location_scale *at, double unit, double value[FIDELITY_DRAWS][2])
{
    for (int d = 0; d < FIDELITY_DRAWS; d++) {
        value[d][0] = at[d].mu / unit;
        value[d][1] = at[d].sigma > 0 ? log(at[d].sigma) : (double)NAN;
    }
}

am_status student_t_judge(student_t_result *r, const double nu[STUDENT_T_PLACES],
                          const location_scale *at, am_error *err)
{
    static const char *const name[METHODS] = {NULL, "linear generator (published form)",
                                              "Chebyshev generator", "response generator"};
    static const char *const key[METHODS] = {NULL, "generator", "chebyshev", "response"};
    double exact[FIDELITY_DRAWS][2], own[FIDELITY_DRAWS][2];
    exact_fidelity *row = r->fidelity;
    for (int i = 0; i < STUDENT_T_PLACES; i++) {
        const location_scale *fit = at + (size_t)i * METHODS * FIDELITY_DRAWS;
        double unit = 0;
        for (int d = 0; d < FIDELITY_DRAWS; d++)
            unit += fit[d].sigma / FIDELITY_DRAWS;
        values_of(fit, unit, exact);
        for (int m = BY_LINEAR; m < METHODS; m++, row++) {
            values_of(fit + (size_t)m * FIDELITY_DRAWS, unit, own);
            *row = (exact_fidelity){name[m], key[m], nu[i], {0}};
            AM_TRY(fidelity_against_exact(*own, *exact, FIDELITY_DRAWS, 2, &row->f, err));
        }
    }
    return AM_OK;
}

exact_fidelities student_t_fidelities(const student_t_result *r)
{
    return (exact_fidelities){.parameter = "ν",
                              .key = "nu",
                              .what = "(μ/σ̂, log σ)",
                              .row = r->fidelity,
                              .count = STUDENT_T_PLACES * (METHODS - 1)};
}
