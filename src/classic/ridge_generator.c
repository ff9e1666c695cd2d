/* Cross-validation where a generator takes the place of the refits along λ. What it predicts is
 * linear in θ, so the rows held out are predicted at the nodes (or along the generator's
 * directions), and the features mix the predictions: θ itself is never formed. */
#include "classic/ridge_generator.h"
#include "linalg/linalg.h"

#include <stdlib.h>

static const char WHAT[] = "generator in cross-validation";

/* ---- supervised -------------------------------------------------------------------------------- */

static double mean_eigenvalue(const cv_fold *f)
{
    double trace = 0.0;
    for (int i = 0; i < f->p; i++)
        trace += f->gram[linalg_at(i, i, f->p)];
    return trace > 0.0 ? trace / ((double)f->p * f->n) : 1.0;
}

/* mixing (nodes × points) = Z(ZᵀZ + ridge·I)⁻¹Z_λᵀ: the generator's θ(λ_j) = Θ·mixing_j, with the
 * labels Θ (p × nodes), Z (nodes × r) the features at the nodes and Z_λ (points × r) along λ. */
static am_status mix(const lambda_features *f, const supervised_generator *g, const double *node,
                     const double *lambda, int points, double *mixing, am_error *err)
{
    size_t r = (size_t)f->r, nodes = (size_t)g->nodes;
    double c[LAMBDA_MAX_FEATURES];
    double *z = am_alloc(nodes * r, sizeof *z, WHAT, err);
    double *unit = am_alloc(nodes * nodes, sizeof *unit, WHAT, err);
    double *inverse = am_alloc(r * nodes, sizeof *inverse, WHAT, err); /* (ZᵀZ + ridge·I)⁻¹Zᵀ */
    double *along = am_alloc(r * (size_t)points, sizeof *along, WHAT, err);
    am_status status = z && unit && inverse && along ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        for (int i = 0; i < g->nodes; i++) {
            unit[linalg_at(i, i, g->nodes)] = 1.0;
            lambda_features_at(f, node[i], c);
            for (int k = 0; k < f->r; k++)
                z[linalg_at(i, k, g->nodes)] = c[k];
        }
        for (int j = 0; j < points; j++)
            lambda_features_at(f, lambda[j], along + linalg_at(0, j, f->r));
        status = linalg_ridge(WHAT, g->nodes, f->r, z, g->nodes, unit, g->ridge, inverse, err);
    }
    if (status == AM_OK)
        linalg_multiply('t', 'n', g->nodes, points, f->r, inverse, along, mixing);
    free(z);
    free(unit);
    free(inverse);
    free(along);
    return status;
}

static am_status predict_supervised(const void *context, const cv_fold *f, const double *lambda,
                                    int points, double *prediction, am_error *err)
{
    const supervised_generator *g = context;
    lambda_features features = {.basis = g->basis,
                                .r = g->features,
                                .low = lambda[0],
                                .high = lambda[points - 1],
                                .kappa = mean_eigenvalue(f)};
    size_t nodes = (size_t)g->nodes;
    double *node = am_alloc(nodes, sizeof *node, WHAT, err);
    double *theta = am_alloc((size_t)f->p * nodes, sizeof *theta, WHAT, err);
    double *held = am_alloc((size_t)f->held * nodes, sizeof *held, WHAT, err);
    double *mixing = am_alloc(nodes * (size_t)points, sizeof *mixing, WHAT, err);
    am_status status = node && theta && held && mixing ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        lambda_features_nodes(&features, g->nodes, node);
        for (int i = 0; g->lambda != NULL && i < g->nodes; i++)
            node[i] = g->lambda[f->fold][i];
        status = cv_fold_fits(f, node, g->nodes, theta, err);
    }
    if (status == AM_OK)
        status = mix(&features, g, node, lambda, points, mixing, err);
    if (status == AM_OK) {
        linalg_multiply('n', 'n', f->held, g->nodes, f->p, f->x, theta, held);
        linalg_multiply('n', 'n', f->held, points, g->nodes, held, mixing, prediction);
    }
    free(node);
    free(theta);
    free(held);
    free(mixing);
    return status;
}

cv_method cv_supervised(const supervised_generator *g)
{
    return (cv_method){.predict = predict_supervised, .context = g};
}

/* ---- by its criterion -------------------------------------------------------------------------- */

static am_status predict_by_space(const void *context, const cv_fold *f, const double *lambda,
                                  int points, double *prediction, am_error *err)
{
    (void)context;
    ridge_space s;
    AM_TRY(ridge_space_open(f->n, f->p, f->gram, f->moment, &s, err));
    double *held = am_alloc((size_t)f->held * (size_t)s.r, sizeof *held, WHAT, err);
    double *c = am_alloc((size_t)s.r * (size_t)points, sizeof *c, WHAT, err);
    if (held != NULL && c != NULL) {
        ridge_space_features(&s, lambda, points, c);
        linalg_multiply('n', 'n', f->held, s.r, f->p, f->x, s.direction, held);
        linalg_multiply('n', 'n', f->held, points, s.r, held, c, prediction);
    }
    am_status status = held && c ? AM_OK : AM_ERR_MEMORY;
    free(held);
    free(c);
    ridge_space_free(&s);
    return status;
}

cv_method cv_rational_krylov(void)
{
    return (cv_method){.predict = predict_by_space};
}
