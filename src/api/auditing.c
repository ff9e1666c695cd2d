#include "api/auditing.h"

#include <math.h>

audit_request auditing_request(const session *s)
{
    return (audit_request){
        .validation = &s->validation, .rows = s->record.fit.rows, .steps = s->record.fit.steps};
}

int auditing_places(const generator_spec *spec, double lambda[AUDIT_MOST_LAMBDAS])
{
    /* Where on the range, from 0 to 1 in log λ: on 1e-5:1e-1 these are 1e-5, 4.3e-5, 1.3e-3 and
     * 2e-2 — no penalty to speak of, the best λ, and two where it tells. */
    static const double places[] = {0.0, 0.158, 0.527, 0.825};
    const int count = sizeof places / sizeof *places;
    double span = log(spec->lambda_high / spec->lambda_low);
    for (int i = 0; i < count; i++)
        lambda[i] = spec->lambda_low * exp(places[i] * span);
    return count;
}
