#include "api/sampling.h"

posterior_request sampling_request(session *s, const double *lambda, int draws)
{
    const model_record *r = &s->record;
    const char *name;
    bool sees = features_use_omega(&s->g.f);
    return (posterior_request){
        .g = &s->g,
        .lambda = lambda,
        .draws = draws,
        .train = &s->train,
        .evaluation = session_report_rows(s, &name),
        .blocks = r->spec.blocks,
        .weights = sees ? r->spec.weights : OMEGA_DIRICHLET,
        .alpha = r->spec.alpha,
        .rows = r->fit.rows,
        .rate = r->fit.adam.rate / 10,
        .seed = r->spec.seed,
        .steps = AM_MIN((int64_t)SAMPLING_STEPS, r->fit.steps),
    };
}
