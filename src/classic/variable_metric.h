/* variable_metric — a quasi-Newton method with the settings that statistical packages ship as their
 * default, so that published fits can be followed to where they stopped. */
#ifndef AM_CLASSIC_VARIABLE_METRIC_H
#define AM_CLASSIC_VARIABLE_METRIC_H

enum { VARIABLE_METRIC_MOST = 8 /* parameters */ };

typedef double (*variable_metric_criterion)(const void *context, const double *at);

/* Descends from `at` (count ≤ VARIABLE_METRIC_MOST) by Nash (1990), Compact Numerical Methods,
 * algorithm 21: BFGS updates of the inverse Hessian, backtracking by 0.2 until the Armijo condition
 * of 1e-4 holds, gradient by central differences of 1e-3, at most 100 gradients; it ends when the
 * criterion f falls by no more than ε(|f| + ε), ε = √(2⁻⁵²), or the step is lost in rounding, first
 * with the current metric and then along the gradient. Returns the criterion. */
double variable_metric_minimise(variable_metric_criterion criterion, const void *context, int count,
                                double *at);

#endif
