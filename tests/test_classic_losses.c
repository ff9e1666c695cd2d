/* losses: hand-worked values, derivatives against differences, majorisation. */
#include "classic/losses.h"

#include <criterion/criterion.h>
#include <math.h>

static classic_loss make(classic_loss_kind kind)
{
    return (classic_loss){.kind = kind, .quantile = 0.3, .delta = 1.5, .nu = 4, .scale = 2};
}

static double value(const classic_loss *l, double y, double f)
{
    double v;
    loss_values(l, 1, &y, &f, &v);
    return v;
}

static void derivatives(const classic_loss *l, double y, double f, double *score, double *curvature)
{
    loss_derivatives(l, 1, &y, &f, score, curvature);
}

/* ---- by hand ----------------------------------------------------------------------------------- */

Test(classic_losses, by_hand)
{
    static const struct {
        classic_loss_kind kind;
        double y, f, value, score, curvature;
    } rows[] = {
        {CLASSIC_SQUARED, 3, 1, 4, -4, 2},
        {CLASSIC_LOGISTIC, 1, 0, 0.6931471805599453, -0.5, 0.25},
        {CLASSIC_LOGISTIC, 0, 1.0986122886681098, 1.3862943611198906, 0.75, 0.1875}, /* odds 3 */
        {CLASSIC_LAD, 3, 1, 2, -1, 0},
        {CLASSIC_LAD, 1, 3, 2, 1, 0},
        {CLASSIC_HUBER, 2, 1, 0.5, -1, 1},
        {CLASSIC_HUBER, 5, 1, 4.875, -1.5, 0}, /* 1.5·4 − 1.125 */
        {CLASSIC_HUBER, 1, 5, 4.875, 1.5, 0},
        {CLASSIC_QUANTILE, 3, 1, 0.6, -0.3, 0},
        {CLASSIC_QUANTILE, 1, 3, 1.4, 0.7, 0},
        /* νσ² = 16, r = 4: (5/2)·log 2, −5·4/32, 5·(16 − 16)/32² */
        {CLASSIC_STUDENT, 5, 1, 1.7328679513998633, -0.625, 0},
        {CLASSIC_HINGE, 1, -1, 2, -1, 0},
        {CLASSIC_HINGE, -1, 0.5, 1.5, 1, 0},
        {CLASSIC_HINGE, -1, -2, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        classic_loss l = make(rows[i].kind);
        double score, curvature;
        derivatives(&l, rows[i].y, rows[i].f, &score, &curvature);
        cr_expect_float_eq(value(&l, rows[i].y, rows[i].f), rows[i].value, 1e-14, "row %zu", i);
        cr_expect_float_eq(score, rows[i].score, 1e-14, "row %zu", i);
        cr_expect_float_eq(curvature, rows[i].curvature, 1e-14, "row %zu", i);
    }
}

Test(classic_losses, weights_by_hand)
{
    static const struct {
        classic_loss_kind kind;
        double y, f, weight;
    } rows[] = {
        {CLASSIC_SQUARED, 3, 1, 2},       {CLASSIC_LOGISTIC, 1, 0, 0.25},
        {CLASSIC_LAD, 3, 1, 0.5},         {CLASSIC_HUBER, 2, 1, 1},
        {CLASSIC_HUBER, 4, 1, 0.5},       {CLASSIC_QUANTILE, 3, 1, 0.25},
        {CLASSIC_STUDENT, 5, 1, 0.15625}, /* 5/32 */
        {CLASSIC_HINGE, 1, -1, 0.25},     /* 1/(2·2) */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        classic_loss l = make(rows[i].kind);
        double weight;
        loss_weights(&l, 1, &rows[i].y, &rows[i].f, &weight);
        cr_expect_float_eq(weight, rows[i].weight, 1e-14, "row %zu", i);
    }
}

/* ---- differences ------------------------------------------------------------------------------- */

static double response(classic_loss_kind kind, int i)
{
    if (kind == CLASSIC_LOGISTIC)
        return i % 2;
    return kind == CLASSIC_HINGE ? 2.0 * (i % 2) - 1.0 : 0.37 * i - 2.0;
}

static void expect_derivatives(classic_loss l)
{
    const double h = 1e-5;
    for (int i = 0; i < 12; i++) {
        double y = response(l.kind, i), f = 1.9 * sin(2.0 + 3.1 * i), score, curvature, s[2], c;
        derivatives(&l, y, f, &score, &curvature);
        cr_expect_float_eq(score, (value(&l, y, f + h) - value(&l, y, f - h)) / (2 * h), 1e-8,
                           "%s at y %g, f %g", classic_loss_names[l.kind], y, f);
        derivatives(&l, y, f + h, &s[0], &c);
        derivatives(&l, y, f - h, &s[1], &c);
        cr_expect_float_eq(curvature, (s[0] - s[1]) / (2 * h), 1e-7, "%s at y %g, f %g",
                           classic_loss_names[l.kind], y, f);
    }
}

Test(classic_losses, derivatives_are_the_limits_of_differences)
{
    for (int kind = 0; kind < CLASSIC_LOSSES; kind++) {
        classic_loss l = make((classic_loss_kind)kind);
        expect_derivatives(l);
        if (loss_is_piecewise(&l)) {
            l.bandwidth = 0.4;
            expect_derivatives(l);
        }
    }
}

Test(classic_losses, weights_majorise)
{
    for (int kind = 0; kind < CLASSIC_LOSSES; kind++)
        for (int smooth = 0; smooth < 2; smooth++)
            for (int i = 0; i < 12; i++) {
                classic_loss l = make((classic_loss_kind)kind);
                l.bandwidth = smooth && loss_is_piecewise(&l) ? 0.5 : 0.0;
                double y = response(l.kind, i), f = 1.9 * sin(1.0 + 2.3 * i), score, c, w;
                derivatives(&l, y, f, &score, &c);
                loss_weights(&l, 1, &y, &f, &w);
                for (double d = -6; d <= 6; d += 0.25)
                    cr_expect_leq(value(&l, y, f + d),
                                  value(&l, y, f) + score * d + 0.5 * w * d * d + 1e-12,
                                  "%s at y %g, f %g, d %g", classic_loss_names[kind], y, f, d);
            }
}

/* ---- limits ------------------------------------------------------------------------------------ */

Test(classic_losses, smoothing_moves_each_part_by_less_than_h_log_2)
{
    static const classic_loss_kind kinds[] = {CLASSIC_LAD, CLASSIC_QUANTILE, CLASSIC_HINGE};
    static const double parts[] = {2, 1, 1}; /* weight of (·)₊ */
    for (int k = 0; k < 3; k++)
        for (double f = -3; f <= 3; f += 0.1) {
            classic_loss kink = make(kinds[k]), smooth = kink;
            smooth.bandwidth = 0.3;
            double gap = value(&smooth, 1, f) - value(&kink, 1, f);
            cr_expect(gap >= 0 && gap <= parts[k] * 0.3 * log(2.0) + 1e-15, "%s at %g: %g",
                      classic_loss_names[kinds[k]], f, gap);
        }
}

Test(classic_losses, stay_finite_far_out)
{
    static const double far[] = {-1e8, -800, -40, 40, 800, 1e8};
    for (int kind = 0; kind < CLASSIC_LOSSES; kind++)
        for (int i = 0; i < 6; i++)
            for (int smooth = 0; smooth < 2; smooth++) {
                classic_loss l = make((classic_loss_kind)kind);
                l.bandwidth = smooth && loss_is_piecewise(&l) ? 1e-3 : 0.0;
                double y = 1, score, curvature, w;
                derivatives(&l, y, far[i], &score, &curvature);
                loss_weights(&l, 1, &y, &far[i], &w);
                cr_expect(isfinite(value(&l, y, far[i])) && isfinite(score) &&
                              isfinite(curvature) && isfinite(w) && w >= 0,
                          "%s at %g", classic_loss_names[kind], far[i]);
            }
    classic_loss l = make(CLASSIC_LOGISTIC);
    double score, curvature;
    derivatives(&l, 0, 40, &score, &curvature);
    cr_expect_float_eq(value(&l, 0, 40), 40, 1e-12);
    cr_expect_float_eq(score, 1, 1e-15);
    derivatives(&l, 1, -36, &score, &curvature);
    cr_expect_float_eq(score, -1, 1e-15);
    cr_expect_float_eq(curvature / exp(-36.0), 1, 1e-12);
}

Test(classic_losses, parameters_outside_their_range_are_named)
{
    static const struct {
        classic_loss loss;
        const char *option;
    } bad[] = {
        {{.kind = CLASSIC_QUANTILE, .quantile = 0}, "--quantile 0"},
        {{.kind = CLASSIC_QUANTILE, .quantile = 1}, "--quantile 1"},
        {{.kind = CLASSIC_QUANTILE, .quantile = NAN}, "--quantile nan"},
        {{.kind = CLASSIC_HUBER, .delta = 0}, "--delta 0"},
        {{.kind = CLASSIC_STUDENT, .nu = -1, .scale = 1}, "--nu -1"},
        {{.kind = CLASSIC_STUDENT, .nu = 4, .scale = 0}, "--scale 0"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        am_error err = {0};
        cr_expect_eq(loss_check(&bad[i].loss, &err), AM_ERR_USAGE);
        cr_expect(strstr(err.message, bad[i].option) == err.message, "%s", err.message);
    }
    am_error err = {0};
    for (int kind = 0; kind < CLASSIC_LOSSES; kind++) {
        classic_loss l = make((classic_loss_kind)kind);
        cr_expect_eq(loss_check(&l, &err), AM_OK);
    }
}
