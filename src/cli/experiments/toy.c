/* The toy experiment (section 2.2, figure 1, table 1): θ̂(ω, λ) of weighted ridge regression, and the
 * linear generator θ = A·(1, log λ, ω_1..ω_25), trained on B labels θ̂ (supervised) or on the criterion
 * over M draws of (ω, λ), which needs no label. Both are judged by IPL, the mean of ‖Az − θ̂‖² over 300
 * fresh draws.
 *
 * The criterion is minimised by descent, as a network would be trained, and exactly, by its normal
 * equations; and since it is quadratic, its minimiser over *all* draws is known in closed form too.
 *
 * With --reference every replication draws (ω, λ) anew on the one data set: this is what reproduces
 * the published table, standard errors included (data simulated anew would double those of the
 * criterion's cells). Without it every replication simulates its own data of the same design. */
#include "cli/experiments/toy.h"

#include "cli/output.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

static const int BUDGET[WAYS][BUDGETS] = {
    {50, 100, 200, 400, 800}, {200, 500, 1000, 2000, 10000}, {200, 500, 1000, 2000, 10000}};
static const double TOY_LOW = 1e-3, TOY_HIGH = 1.0, DESCENT_TOLERANCE = 1e-3;
enum { MOST_STEPS = 200 };

mean_estimate toy_published_at(toy_way way, int budget)
{
    static const struct {
        toy_way way;
        int budget;
        mean_estimate value;
    } table[] = {{SUPERVISED, 50, {0.067, 0.003}},  {SUPERVISED, 200, {0.033, 0.001}},
                 {SUPERVISED, 800, {0.029, 0.001}}, {DESCENT, 500, {0.033, 0.000}},
                 {DESCENT, 2000, {0.032, 0.000}},   {DESCENT, 10000, {0.031, 0.000}}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].way == (way == EXACT ? DESCENT : way) && table[i].budget == budget)
            return table[i].value;
    return (mean_estimate){NAN, NAN};
}

/* ---- data -------------------------------------------------------------------------------------- */

static am_status read_problem(const char *folder, block_ridge *b, am_error *err)
{
    design d = {0};
    int *label = NULL, blocks = 0;
    char *data = output_path(folder, "train_x_then_y.csv");
    char *labels = output_path(folder, "block_id.csv");
    am_status status =
        data && labels ? AM_OK : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    if (status == AM_OK)
        status = design_read(data, &d, err);
    if (status == AM_OK)
        status = labels_read(labels, d.n, &label, &blocks, err);
    if (status == AM_OK && blocks < 2)
        status = am_fail(err, AM_ERR_INPUT, "%s: one block; number 2 or more of them", labels);
    if (status == AM_OK)
        status = block_ridge_open(&d, label, blocks, b, err);
    free(data);
    free(labels);
    free(label);
    design_free(&d);
    return status;
}

/* The design that the published data show: 5 of 20 coefficients 1, ρ = 0.3, σ = 1. */
static am_status simulate_problem(uint64_t seed, uint32_t replication, block_ridge *b,
                                  am_error *err)
{
    const linear_model model = {.n = 200, .p = 20, .active = 5, .b = 1.0, .rho = 0.3, .sigma = 1.0};
    design d = {0};
    int *label = NULL;
    am_status status = simulate_linear(&model, seed, replication, 0, &d, err);
    if (status == AM_OK)
        status = simulate_folds("--seed", model.n, TOY_BLOCKS, seed, replication, &label, err);
    if (status == AM_OK)
        status = block_ridge_open(&d, label, TOY_BLOCKS, b, err);
    free(label);
    design_free(&d);
    return status;
}

/* ---- one replication --------------------------------------------------------------------------- */

typedef struct {
    const block_ridge *b;
    block_draws fresh; /* what generators are judged on */
    double *theta;     /* (p × EVALUATED) its labels */
    double *a;         /* (r × p) the generator */
    uint64_t seed;
    uint32_t replication;
} trial;

static am_status trial_open(const block_ridge *b, uint64_t seed, uint32_t replication, trial *t,
                            am_error *err)
{
    *t = (trial){.b = b, .seed = seed, .replication = replication};
    AM_TRY(block_draws_make(EVALUATED, b->blocks, TOY_LOW, TOY_HIGH, seed, STREAM_EVALUATION,
                            replication, &t->fresh, err));
    t->theta = am_alloc((size_t)b->p * EVALUATED, sizeof *t->theta, "labels", err);
    t->a = am_alloc((size_t)(b->blocks + 1) * (size_t)b->p, sizeof *t->a, "generator", err);
    if (t->theta == NULL || t->a == NULL)
        return AM_ERR_MEMORY;
    return block_ridge_labels(b, &t->fresh, t->theta, err);
}

static void trial_close(trial *t)
{
    block_draws_free(&t->fresh);
    free(t->theta);
    free(t->a);
}

static am_status train(const trial *t, toy_way way, const block_draws *draws, int *steps,
                       am_error *err)
{
    switch (way) {
    case SUPERVISED:
        return block_ridge_supervised(t->b, draws, t->a, err);
    case DESCENT:
        return block_ridge_descent(t->b, draws, DESCENT_TOLERANCE, MOST_STEPS, t->a, steps, err);
    default:
        return block_ridge_criterion(t->b, draws, t->a, err);
    }
}

/* Seconds are those of the training, draws included; the least over the replications, since what else
 * the machine does only adds to them. The two ways to minimise the criterion have the
 * same draws. */
static am_status run_cell(const trial *t, toy_way way, int budget_index, toy_result *r,
                          am_error *err)
{
    toy_cell *cell = &r->cell[way][budget_index];
    block_draws draws;
    int steps = 0, at = budget_index + (way == SUPERVISED ? 0 : BUDGETS);
    uint32_t step = t->replication * 2 * BUDGETS + (uint32_t)at;
    double begin = am_seconds();
    AM_TRY(block_draws_make(cell->budget, t->b->blocks, TOY_LOW, TOY_HIGH, t->seed, STREAM_OMEGA,
                            step, &draws, err));
    am_status status = train(t, way, &draws, &steps, err);
    cell->seconds = fmin(cell->seconds, am_seconds() - begin);
    r->steps += (double)steps / (BUDGETS * r->replications);
    if (status == AM_OK)
        status = block_ridge_loss(t->b, &t->fresh, t->theta, t->a, &cell->ipl[t->replication], err);
    block_draws_free(&draws);
    return status;
}

static am_status run_trial(trial *t, toy_result *r, am_error *err)
{
    for (int way = 0; way < WAYS; way++)
        for (int i = 0; i < BUDGETS; i++)
            AM_TRY(run_cell(t, (toy_way)way, i, r, err));
    double begin = am_seconds();
    AM_TRY(block_ridge_expected(t->b, TOY_LOW, TOY_HIGH, t->a, err));
    r->expected.seconds = fmin(r->expected.seconds, am_seconds() - begin);
    return block_ridge_loss(t->b, &t->fresh, t->theta, t->a, &r->expected.ipl[t->replication], err);
}

/* ---- the experiment ---------------------------------------------------------------------------- */

static am_status cells_alloc(toy_result *r, am_error *err)
{
    size_t count = (size_t)r->replications;
    for (int i = 0; i <= WAYS * BUDGETS; i++) {
        toy_cell *cell = i < WAYS * BUDGETS ? &r->cell[i / BUDGETS][i % BUDGETS] : &r->expected;
        cell->budget = i < WAYS * BUDGETS ? BUDGET[i / BUDGETS][i % BUDGETS] : 0;
        cell->ipl = am_alloc(count, sizeof *cell->ipl, "replications", err);
        cell->seconds = INFINITY;
        if (cell->ipl == NULL)
            return AM_ERR_MEMORY;
    }
    return AM_OK;
}

static void close_cell(toy_cell *cell, int replications)
{
    cell->mean = estimate_of(cell->ipl, replications);
}

static am_status run_replication(const settings *set, uint32_t replication, toy_result *r,
                                 am_error *err)
{
    uint64_t seed = (uint64_t)set->seed;
    block_ridge b = {0};
    trial t = {0};
    am_status status = set->reference != NULL ? read_problem(set->reference, &b, err)
                                              : simulate_problem(seed, replication, &b, err);
    r->n = b.n;
    r->p = b.p;
    r->blocks = b.blocks;
    if (status == AM_OK)
        status = trial_open(&b, seed, replication, &t, err);
    if (status == AM_OK)
        status = run_trial(&t, r, err);
    trial_close(&t);
    block_ridge_free(&b);
    return status;
}

static am_status run_all(const settings *set, toy_result *r, am_error *err)
{
    linalg_one_thread();
    AM_TRY(cells_alloc(r, err));
    for (int i = 0; i < r->replications; i++) {
        progress_note(set, "replication %d of %d", i + 1, r->replications);
        AM_TRY(run_replication(set, (uint32_t)i, r, err));
    }
    for (int i = 0; i < WAYS * BUDGETS; i++)
        close_cell(&r->cell[i / BUDGETS][i % BUDGETS], r->replications);
    close_cell(&r->expected, r->replications);
    return AM_OK;
}

am_status experiment_toy(const settings *set, am_error *err)
{
    /* Published: 12. Their luck alone moves the cell of 50 labels by more than its published error. */
    enum { REPLICATIONS = 48 };
    const char *folder = out_or(set, "results/toy");
    double begin = am_seconds();
    toy_result r = {.replications = set->replications > 0 ? (int)set->replications : REPLICATIONS};
    am_status status = am_check_writable(folder, err);
    if (status == AM_OK)
        status = run_all(set, &r, err);
    r.total_seconds = am_seconds() - begin;
    if (status == AM_OK)
        status = toy_report(set, &r, folder, err);
    for (int i = 0; i < WAYS * BUDGETS; i++)
        free(r.cell[i / BUDGETS][i % BUDGETS].ipl);
    free(r.expected.ipl);
    return status;
}
