/* From a setup to problem, blocks, generator and range of λ. */
#include "classic/mest_uses.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

mest_time mest_now(void)
{
    struct timespec cpu = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    return (mest_time){am_seconds(), (double)cpu.tv_sec + 1e-9 * (double)cpu.tv_nsec};
}

mest_time mest_since(mest_time begin)
{
    mest_time now = mest_now();
    return (mest_time){now.wall - begin.wall, now.cpu - begin.cpu};
}

static mest_problem problem_of(const mest_setup *s)
{
    return (mest_problem){.n = s->data->n,
                          .q = s->data->q,
                          .intercept = s->data->intercept,
                          .x = s->data->x,
                          .y = s->data->y,
                          .loss = s->loss,
                          .l1 = s->l1,
                          .l2 = s->l2};
}

am_status mest_engine_open(const mest_setup *s, int blocks, int nodes, const double *lambda,
                           mest_engine *e, am_error *err)
{
    *e = (mest_engine){.problem = problem_of(s)};
    linalg_one_thread();
    AM_TRY(loss_check(&s->loss, err));
    if (s->l1 + s->l2 == 0)
        AM_TRY(mest_data_check_rank(s->data, err));
    e->block = am_alloc((size_t)s->data->n, sizeof *e->block, "blocks", err);
    if (e->block == NULL)
        return AM_ERR_MEMORY;
    am_status status = blocks_assign(s->seed, s->data->n, blocks, e->block, err);
    const mest_generator_request request = {.problem = &e->problem,
                                            .blocks = blocks,
                                            .block = e->block,
                                            .nodes = nodes,
                                            .lambda = lambda,
                                            .threads = s->threads};
    if (status == AM_OK)
        status = mest_generator_new(&request, &e->generator, err);
    if (status != AM_OK)
        mest_engine_close(e);
    return status;
}

void mest_engine_close(mest_engine *e)
{
    mest_generator_free(e->generator);
    free(e->block);
    *e = (mest_engine){0};
}

void mest_lambda_grid(double low, double high, int points, double *lambda)
{
    for (int j = 0; j < points; j++)
        lambda[j] = points > 1 ? high * pow(low / high, (double)j / (points - 1)) : high;
}

am_status mest_lambda_range(const mest_setup *s, double *low, double *high, am_error *err)
{
    const mest_problem p = problem_of(s);
    AM_TRY(mest_lambda_max(&p, high, err));
    *low = *high * (s->l1 == 0 ? 1e-6 : p.q > p.n ? 1e-2 : 1e-3);
    return AM_OK;
}
