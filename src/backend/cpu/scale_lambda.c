/* scale_lambda: the random penalty weight of the weighted Bayesian bootstrap. */
#include "backend/cpu/cpu.h"
#include "draw/portable.h"

void cpu_scale_lambda(backend *be, const scale_lambda_args *a)
{
    CPU_REQUIRE(be, "scale_lambda", a->draws > 0 && a->groups > 0 && a->groups <= AM_MAX_GROUPS);
    float *lambda = f32(a->lambda), *u = f32(a->u); /* (M, G) */
    for (int i = 0; i < a->draws * a->groups; i++) {
        int g = i % a->groups;
        double span = a->log_high[g] - a->log_low[g];
        double scaled = (double)f32(a->omega0)[i / a->groups] * (double)lambda[i]; /* ω₀λ */
        double t = 2.0 * (portable_log(scaled) - a->log_low[g]) / span - 1.0;
        lambda[i] = (float)scaled;
        u[i] = (float)(t < -1.0 ? -1.0 : t > 1.0 ? 1.0 : t);
    }
}
