#include "train/recipe.h"

#include "train/supervised.h"

#include <math.h>

const char *recipe_features(bool sees_omega, int groups)
{
    if (sees_omega)
        return "split:32,32,8";
    return groups == 1 ? "cheb:5" : groups == 2 ? "cheb:3" : "cheb:2";
}

/* Peak step size of Adam with a cosine: 5e-3 was best for 1,953 steps (5 epochs of MNIST) and 3e-3
 * for 7,812, for refits and collocation alike; between and beyond, the power law through the two. */
static double tuned_rate(int64_t steps)
{
    double longer = (double)steps / 1953.0;
    return longer > 1.0 ? 5e-3 * pow(longer, -0.37) : 5e-3;
}

/* Fall of the step size along λ: 0.5 was best for 5 epochs of MNIST, 1 for 20 (accuracy along λ up by
 * 0.05 points; the price is a higher training criterion at the smallest λ, where it is near 0). */
static double tuned_tilt(int64_t steps)
{
    double longer = (double)steps / 1953.0;
    return longer > 1.0 ? fmin(0.5 * sqrt(longer), 1.0) : 0.5;
}

static int64_t tuned_warmup(int64_t steps)
{
    return AM_MIN((int64_t)50, steps / 10);
}

void recipe_fit(fit_settings *fit, int rank)
{
    bool collocation = fit->descent == DESCENT_COLLOCATION;
    bool alone = fit->mode == MODE_SUPERVISED;
    optimiser *adam = &fit->adam;
    int64_t steps = fit->mode == MODE_HYBRID ? criterion_steps(fit) : fit->steps;
    if (fit->draws == 0) /* even, so that nodes alternate between two minibatches */
        fit->draws = collocation ? 2 * (int)ceil(0.65 * rank) : 16;
    if (fit->sets == 0)
        fit->sets = collocation && fit->draws % 2 == 0 && fit->draws > 2 ? 2 : 1;
    if (fit->stretch == 0) /* the outer nodes reach the ends of the range in most steps */
        fit->stretch = collocation || alone ? fit->draws / (fit->draws - 0.9) : 1.0;
    if (fit->tilt < 0)
        fit->tilt = collocation ? tuned_tilt(steps) : 0.0;
    if (adam->rate == 0)
        adam->rate = collocation ? tuned_rate(steps) : 3e-3;
    if (adam->beta1 == 0)
        adam->beta1 = collocation ? 0.8 : 0.9;
    if (adam->beta2 == 0)
        adam->beta2 = collocation ? 0.99 : 0.999;
    if (adam->warmup < 0)
        adam->warmup = tuned_warmup(steps);
}

const char *recipe_coarse_features(void)
{
    return "cheb:3";
}

/* The draws all have minibatches of their own, of three quarters of the rows: a step costs half of
 * the later ones' and its noise is the least. Chosen on MNIST, 5 epochs (docs/coarse-to-fine.md). */
coarse_stage recipe_coarse(const fit_settings *fit)
{
    return (coarse_stage){.share = 0.77,
                          .degree = 1,
                          .draws = 4,
                          .sets = 4,
                          .rows = AM_MAX(1, fit->rows * 3 / 4),
                          .stretch = 4 / 3.1,
                          .boost = 3};
}

/* 3e-4 for 1e-5:1e-1. */
double recipe_knee(double lambda_low, double lambda_high)
{
    return 0.3 * sqrt(lambda_low * lambda_high);
}

/* As many as criterion mode has draws. Where ω enters, labels differ by their own training more than by
 * ω, and 1.3 for every feature would make that part of the generator; 4 average most of it out. Hybrid
 * mode takes only what short refits add. */
static int labels_for(const fit_settings *fit, int rank, bool sees_omega)
{
    bool noisy = sees_omega && fit->mode == MODE_SUPERVISED;
    return AM_MIN(noisy ? 4 * rank : 2 * (int)ceil(0.65 * rank), 256);
}

/* Measured on MNIST for 5 epochs: warm rounds want small steps, or labels leave the generator's basin
 * each for itself; after a cold round of four fifths one more of them is best, in hybrid mode one round
 * of a fifth of the steps. */
void recipe_labels(fit_settings *fit, int rank, bool sees_omega)
{
    bool alone = fit->mode == MODE_SUPERVISED;
    if (fit->labels == 0)
        fit->labels = labels_for(fit, rank, sees_omega);
    if (fit->rounds == 0)
        fit->rounds = alone ? 2 : 1;
    if (fit->share == 0 && !alone)
        fit->share = 0.8;
    if (fit->warm == 0)
        fit->warm = alone ? 0.3 : 0.1;
    recipe_refit(&fit->label, fit->steps);
    if (alone) { /* the labels take the place of the draws */
        fit->draws = fit->labels;
        fit->sets = 1;
        fit->adam = fit->label;
    }
}

void recipe_refit(optimiser *adam, int64_t steps)
{
    if (adam->rate == 0)
        adam->rate = tuned_rate(steps);
    if (adam->beta1 == 0)
        adam->beta1 = 0.9;
    if (adam->beta2 == 0)
        adam->beta2 = 0.99;
    if (adam->warmup < 0)
        adam->warmup = tuned_warmup(steps);
}

response_settings recipe_response(omega_kind weights, int64_t steps)
{
    return (response_settings){
        .nodes = 8,
        .snapshots = (int)AM_MIN((int64_t)6, steps),
        .rows = 5000,
        .inputs = 256,
        .components = 80,
        .iterations = 1,
        .weights = weights,
    };
}
