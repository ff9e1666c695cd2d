/* scale_lambda: the random penalty weight of the weighted Bayesian bootstrap. */
#include "backend/cpu/cpu.h"

void cpu_scale_lambda(backend *be, const scale_lambda_args *a)
{
    CPU_REQUIRE(be, "scale_lambda", a->draws > 0 && a->groups > 0 && a->groups <= AM_MAX_GROUPS);
    float *lambda = f32(a->lambda), *u = f32(a->u); /* (M, G) */
    for (int i = 0; i < a->draws * a->groups; i++) {
        int g = i % a->groups;
        double scaled = (double)f32(a->omega0)[i / a->groups] * (double)lambda[i]; /* ω₀λ */
        lambda[i] = (float)scaled;
        u[i] = (float)axis_u(a->axis[g], scaled);
    }
}
