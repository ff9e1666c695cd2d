#include "tune/tune.h"

#include <math.h>

/* Better first, whatever the metric: NLL as it is, accuracy negated; NaN is the worst. */
static double cost(const metrics *m, metric_kind metric)
{
    double value = metric == METRIC_NLL ? m->nll : -m->accuracy;
    return isnan(value) ? INFINITY : value;
}

static double cost_se(const metrics *m, metric_kind metric)
{
    return metric == METRIC_NLL ? m->nll_se : m->accuracy_se;
}

static int best_point(const metrics *at, int stride, int points, metric_kind metric)
{
    int best = 0;
    for (int i = 1; i < points; i++)
        if (cost(&at[i * stride], metric) <= cost(&at[best * stride], metric))
            best = i;
    return best;
}

/* Points within one standard error of the best. */
static bool within(const tuning_curve *curve, int best, int i, metric_kind metric)
{
    double limit = cost(&curve->at[best], metric) + cost_se(&curve->at[best], metric);
    return cost(&curve->at[i], metric) <= limit;
}

/* ---- refinement by the exact derivative -------------------------------------------------------------- */

typedef struct {
    generator *g;
    const device_rows *validation;
    double low, high; /* log λ of u = −1 and 1 */
} outer_problem;

static am_status value_and_slope(const outer_problem *o, const double *u, double *j, double *du,
                                 am_error *err)
{
    double lambda[AM_MAX_GROUPS];
    for (int i = 0; i < o->g->groups.count; i++)
        lambda[i] = exp(o->low + 0.5 * (u[i] + 1.0) * (o->high - o->low));
    return evaluate_gradient(o->g, o->validation, lambda, j, du, err);
}

typedef struct {
    double u, j, slope;
} outer_point;

static am_status point_at(const outer_problem *o, double u, outer_point *p, am_error *err)
{
    p->u = u;
    return value_and_slope(o, &u, &p->j, &p->slope, err);
}

/* One group: from best->u downhill towards its neighbour, a or b; where J' changes sign on the way,
 * to that point by regula falsi with bisection. Never ends above where it began. */
static am_status refine_scalar(const outer_problem *o, double a, double b, outer_point *best,
                               am_error *err)
{
    outer_point p = {0};
    AM_TRY(point_at(o, best->u, best, err));
    bool up = best->slope < 0.0;
    AM_TRY(point_at(o, up ? b : a, &p, err));
    outer_point left = up ? *best : p, right = up ? p : *best;
    bool inside = left.slope < 0.0 && right.slope > 0.0;
    for (int i = 0; inside && i < 24 && right.u - left.u > 1e-4; i++) {
        double share = i % 2 == 0 ? left.slope / (left.slope - right.slope) : 0.5;
        AM_TRY(point_at(o, left.u + share * (right.u - left.u), &p, err));
        if (fabs(p.slope) < 1e-6)
            break;
        *(p.slope < 0.0 ? &left : &right) = p;
    }
    if (p.j < best->j)
        *best = p;
    return AM_OK;
}

static double clamp(double u)
{
    return u < -1.0 ? -1.0 : u > 1.0 ? 1.0 : u;
}

/* Several groups: projected gradient descent with a step that grows on success, halves on failure. */
static am_status refine_vector(const outer_problem *o, double *u, double *j, double *slope,
                               am_error *err)
{
    int groups = o->g->groups.count;
    double du[AM_MAX_GROUPS], step = 1.0;
    AM_TRY(value_and_slope(o, u, j, du, err));
    for (int i = 0; i < 40 && step > 1e-5; i++) {
        double trial[AM_MAX_GROUPS] = {0}, dt[AM_MAX_GROUPS], jt, norm = 0.0;
        for (int g = 0; g < groups; g++)
            norm += du[g] * du[g];
        for (int g = 0; g < groups; g++)
            trial[g] = clamp(u[g] - step * du[g] / fmax(sqrt(norm), 1e-12) * 0.5);
        AM_TRY(value_and_slope(o, trial, &jt, dt, err));
        step *= jt < *j ? 1.5 : 0.5;
        for (int g = 0; jt < *j && g < groups; g++) {
            u[g] = trial[g];
            du[g] = dt[g];
        }
        *j = fmin(jt, *j);
    }
    *slope = 0.0;
    for (int g = 0; g < groups; g++)
        *slope += du[g] * du[g];
    *slope = sqrt(*slope);
    return AM_OK;
}

static am_status refine(generator *g, const device_rows *validation, const tuning_curve *curve,
                        selection *choice, am_error *err)
{
    outer_problem o = {g, validation, log(g->spec.lambda_low), log(g->spec.lambda_high)};
    double u[AM_MAX_GROUPS] = {0}, width = 2.0 / AM_MAX(curve->points - 1, 1);
    for (int i = 0; i < choice->groups; i++)
        u[i] = -1.0 + width * choice->point;
    if (choice->groups == 1) {
        outer_point best = {.u = u[0]};
        AM_TRY(refine_scalar(&o, clamp(u[0] - width), clamp(u[0] + width), &best, err));
        u[0] = best.u;
        choice->value = best.j;
        choice->derivative = fabs(best.slope);
    } else {
        AM_TRY(refine_vector(&o, u, &choice->value, &choice->derivative, err));
    }
    for (int i = 0; i < choice->groups; i++) { /* rounding must not leave the range */
        double lambda = exp(o.low + 0.5 * (u[i] + 1.0) * (o.high - o.low));
        choice->lambda[i] = fmin(fmax(lambda, g->spec.lambda_low), g->spec.lambda_high);
    }
    return AM_OK;
}

/* ---- choice --------------------------------------------------------------------------------------- */

static bool on_edge(const generator *g, const selection *choice)
{
    double span = log(g->spec.lambda_high / g->spec.lambda_low);
    for (int i = 0; i < choice->groups; i++) {
        double t = log(choice->lambda[i] / g->spec.lambda_low) / span;
        if (t < 1e-3 || t > 1.0 - 1e-3)
            return true;
    }
    return false;
}

am_status select_lambda(generator *g, const device_rows *validation, const tuning_curve *curve,
                        select_kind kind, metric_kind metric, selection *choice, am_error *err)
{
    int best = best_point(curve->at, 1, curve->points, metric), chosen = best, near = 0;
    for (int i = 0; i < curve->points; i++) {
        near += within(curve, best, i, metric);
        if (kind == SELECT_ONE_SE && i > chosen && within(curve, best, i, metric))
            chosen = i;
    }
    *choice = (selection){.point = chosen,
                          .groups = g->groups.count,
                          .derivative = NAN,
                          .value = metric_of(&curve->at[chosen], metric),
                          .flat_alarm = 2 * near > curve->points};
    for (int i = 0; i < choice->groups; i++)
        choice->lambda[i] = curve->lambda[chosen];
    if (kind == SELECT_GRADIENT)
        AM_TRY(refine(g, validation, curve, choice, err));
    choice->edge_alarm = on_edge(g, choice);
    return AM_OK;
}

void select_distribution(const tuning_curve *curve, metric_kind metric, int *count)
{
    for (int i = 0; i < curve->points; i++)
        count[i] = 0;
    for (int d = 0; d < curve->draws; d++)
        count[best_point(curve->draw + d, curve->draws, curve->points, metric)]++;
}

double select_quantile(const tuning_curve *curve, const int *count, double q)
{
    int sum = 0;
    for (int i = 0; i < curve->points && curve->draws > 0; i++) {
        sum += count[i];
        if (sum > 0 && (double)sum >= q * curve->draws)
            return curve->lambda[i];
    }
    return NAN;
}
