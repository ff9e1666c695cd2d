#include "train/train.h"

#include <math.h>

am_status draws_open(draw_buffers *d, int copies, am_error *err)
{
    backend *be = d->be;
    size_t draws = (size_t)d->draws, groups = (size_t)d->groups, f32 = sizeof(float);
    d->lambda = be->op->alloc(be, f32 * draws * groups * (size_t)copies, "penalties");
    d->u = be->op->alloc(be, f32 * draws * groups, "penalties");
    if (d->spec->weights != OMEGA_ONES)
        d->omega = be->op->alloc(be, f32 * draws * (size_t)d->spec->blocks, "block weights");
    if (d->spec->weights != OMEGA_ONES && d->spec->omega0)
        d->omega0 = be->op->alloc(be, f32 * draws, "penalty weights");
    return be->op->sync(be, err);
}

void draws_close(draw_buffers *d)
{
    void *owned[] = {d->lambda, d->u, d->omega, d->omega0};
    for (size_t i = 0; d->be != NULL && i < sizeof owned / sizeof *owned; i++)
        d->be->op->release(d->be, owned[i]);
    *d = (draw_buffers){0};
}

static void draw_weights(const draw_buffers *d)
{
    draw_omega_args omega = {.kind = d->spec->weights,
                             .seed = d->seed,
                             .alpha = d->spec->alpha,
                             .draws = d->draws,
                             .blocks = d->spec->blocks,
                             .step = d->step,
                             .omega = d->omega,
                             .omega0 = d->omega0};
    d->be->op->draw_omega(d->be, &omega);
}

void draws_next(const draw_buffers *d)
{
    draw_lambda_args lambda = {.kind = d->nodes,
                               .sets = d->sets,
                               .stretch = d->stretch,
                               .seed = d->seed,
                               .draws = d->draws,
                               .groups = d->groups,
                               .step = d->step,
                               .lambda = d->lambda,
                               .u = d->u};
    scale_lambda_args scale = {.draws = d->draws,
                               .groups = d->groups,
                               .omega0 = d->omega0,
                               .lambda = d->lambda,
                               .u = d->u};
    for (int i = 0; i < d->groups; i++)
        scale.axis[i] = lambda.axis[i] = generator_axis(d->spec);
    d->be->op->draw_lambda(d->be, &lambda);
    if (d->omega != NULL)
        draw_weights(d);
    if (d->omega0 != NULL)
        d->be->op->scale_lambda(d->be, &scale);
}

double draws_middle(int draws, int sets, double stretch, int m)
{
    static const double PI = 3.14159265358979323846;
    int own = draws / sets, j = m % own * sets + m / own;
    double t = 0.5 + stretch * ((j + 0.5) / draws - 0.5);
    return cos(PI * fmin(fmax(t, 0.0), 1.0));
}
