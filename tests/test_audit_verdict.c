/* audit: gaps, rank correlation and verdicts, by hand. */
#include "tune/audit.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* ---- Spearman -------------------------------------------------------------------------------- */

static double rho(const double *x, const double *y, int n)
{
    double value;
    am_error err = {0};
    cr_assert_eq(spearman(x, y, n, &value, &err), AM_OK);
    return value;
}

Test(audit_verdict, spearman_by_hand)
{
    const double x[] = {1, 2, 3, 4, 5}, up[] = {-9, 0, 0.1, 7, 1e9}, down[] = {5, 4, 3, 2, 1};
    const double swapped[] = {2, 1, 3, 4, 5}; /* 1 − 6·Σd²/(n(n²−1)) = 1 − 12/120 */
    const double ties[] = {1, 1, 2, 3, 3};    /* ranks 1.5 1.5 3 4.5 4.5: 9/√(10·9) */
    const double constant[] = {2, 2, 2, 2, 2}, hole[] = {1, 2, NAN, 4, 5};
    cr_expect_float_eq(rho(x, up, 5), 1.0, 1e-15);
    cr_expect_float_eq(rho(x, down, 5), -1.0, 1e-15);
    cr_expect_float_eq(rho(x, swapped, 5), 0.9, 1e-15);
    cr_expect_float_eq(rho(x, ties, 5), 9.0 / sqrt(90.0), 1e-15);
    cr_expect(isnan(rho(x, constant, 5)));
    cr_expect(isnan(rho(x, hole, 5)));
}

/* ---- gaps ------------------------------------------------------------------------------------ */

/* Two points, three repeats. */
Test(audit_verdict, gaps_by_hand)
{
    double lambda[2] = {1e-3, 1e-2}, criterion[2] = {2.0, 3.0};
    metrics own[2] = {{.nll = 0.5, .accuracy = 0.90}, {.nll = 0.7, .accuracy = 0.80}};
    metrics refit[6] = {{.nll = 0.4, .accuracy = 0.91}, {.nll = 0.7, .accuracy = 0.80},
                        {.nll = 0.5, .accuracy = 0.92}, {.nll = 0.8, .accuracy = 0.79},
                        {.nll = 0.6, .accuracy = 0.93}, {.nll = 0.9, .accuracy = 0.78}};
    double theirs[6] = {1.0, 3.0, 2.0, 2.0, 4.0, 6.0};
    audit_curve c = {.curve = {.points = 2, .lambda = lambda, .at = own},
                     .repeats = 3,
                     .refit = refit,
                     .criterion = criterion,
                     .refit_criterion = theirs};
    cr_expect_float_eq(audit_refit_mean(&c, 0, METRIC_NLL), 0.5, 1e-15);
    cr_expect_float_eq(audit_refit_mean(&c, 1, METRIC_ACCURACY), 0.79, 1e-15);
    cr_expect_float_eq(audit_refit_criterion(&c, 1), 11.0 / 3.0, 1e-15);
    estimate nll = audit_gap(&c, GAP_NLL, 0); /* 0.1, 0, −0.1 */
    cr_expect_float_eq(nll.value, 0.0, 1e-15);
    cr_expect_float_eq(nll.se, 0.1 / sqrt(3.0), 1e-15);
    estimate accuracy = audit_gap(&c, GAP_ACCURACY, 0); /* −0.01, −0.02, −0.03 */
    cr_expect_float_eq(accuracy.value, -0.02, 1e-15);
    cr_expect_float_eq(accuracy.se, 0.01 / sqrt(3.0), 1e-15);
    estimate e = audit_gap(&c, GAP_CRITERION, 0); /* 1, 0, −½ */
    cr_expect_float_eq(e.value, 0.5 / 3.0, 1e-15);
    c.repeats = 1;
    cr_expect(isnan(audit_gap(&c, GAP_NLL, 0).se), "one repeat has no error");
    cr_expect_float_eq(audit_gap(&c, GAP_NLL, 0).value, 0.1, 1e-15);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* An audit that passes everywhere, barely. */
typedef struct {
    double lambda[2];
    metrics own[2], refit[2];
    audit_result r;
} passing;

static const estimate nothing = {NAN, NAN};

static void open_passing(passing *p)
{
    *p = (passing){.lambda = {1e-3, 1e-2},
                   .own = {{.nll = 0.4}, {.nll = 0.5}},
                   .refit = {{.nll = 0.4}, {.nll = 0.5}}};
    p->r = (audit_result){.lambdas = 2, .rates = {.advantage = 0.0009}};
    p->r.curve = (audit_curve){.curve = {.points = 2, .lambda = p->lambda, .at = p->own},
                               .repeats = 1,
                               .refit = p->refit,
                               .acc_gap_mean = {-0.0005, 0.0006},
                               .acc_gap_worst = {-0.0024, 0.001},
                               .criterion_gap_worst = {0.049, 0.001},
                               .rank_correlation = {0.951, 0.01},
                               .regret = {0.01, 0.02},
                               .worst_criterion = 1};
    for (int i = 0; i < 2; i++) {
        audit_posterior *at = &p->r.at[i];
        at->lambda = p->lambda[i];
        at->f = (fidelity){.signal = {1.0, 0.1},
                           .spread = {i == 0 ? 0.81 : 1.24, 0.1},
                           .captured = {0.76, 0.1},
                           .fidelity = {0.56, 0.1}};
        at->generator = (metrics){.nll = 0.41, .ece = 0.0149};
        at->refits = (metrics){.nll = 0.40, .nll_se = 0.011, .ece = 0.01};
    }
}

static const audit_line *line_of(const audit_result *r, const char *property)
{
    for (int i = 0; i < r->lines; i++)
        if (strcmp(r->line[i].property, property) == 0)
            return &r->line[i];
    cr_assert_fail("no verdict on %s", property);
    return NULL;
}

static audit_verdict judged(passing *p, const char *property)
{
    audit_judge(&p->r);
    return line_of(&p->r, property)->verdict;
}

Test(audit_verdict, what_is_within_every_threshold_passes)
{
    passing p;
    open_passing(&p);
    audit_judge(&p.r);
    for (int i = 0; i < p.r.lines; i++)
        cr_expect_eq(p.r.line[i].verdict, VERDICT_PASS, "%s: %g", p.r.line[i].property,
                     p.r.line[i].value);
    cr_expect_eq(p.r.lines, 11);
    cr_expect_eq(p.r.verdict, VERDICT_PASS);
    cr_expect_str_eq(audit_verdict_name(p.r.verdict), "PASS");
    const audit_line *worst = line_of(&p.r, "training criterion, worst λ");
    cr_expect_float_eq(worst->value, 4.9, 1e-12);
    cr_expect_eq(worst->lambda, 1e-2);
    cr_expect_str_eq(worst->rule, "≤ 5, fails > 25");
    cr_expect_str_eq(line_of(&p.r, "accuracy, mean over λ")->rule, "≥ 0 - 1 s.e., fails < -0.5");
    cr_expect_str_eq(line_of(&p.r, "posterior spread ratio")->rule,
                     "0.8..1.25, fails outside 0.4..2.5");
}

/* One number beyond a threshold at a time: (property, where it is, value that warns, value that
 * fails). */
#define EXPECT_TURNS(property, number, warns, fails)                                               \
    do {                                                                                           \
        passing p;                                                                                 \
        open_passing(&p);                                                                          \
        p.r.number = (warns);                                                                      \
        cr_expect_eq(judged(&p, property), VERDICT_WARN, property " warns");                       \
        cr_expect_eq(p.r.verdict, VERDICT_WARN);                                                   \
        p.r.number = (fails);                                                                      \
        cr_expect_eq(judged(&p, property), VERDICT_FAIL, property " fails");                       \
        cr_expect_eq(p.r.verdict, VERDICT_FAIL);                                                   \
        p.r.number = NAN;                                                                          \
        cr_expect_eq(judged(&p, property), VERDICT_FAIL, property " of no number");                \
    } while (0)

Test(audit_verdict, every_threshold_turns_its_verdict)
{
    EXPECT_TURNS("accuracy, worst λ", curve.acc_gap_worst.value, -0.0026, -0.011);
    EXPECT_TURNS("training criterion, worst λ", curve.criterion_gap_worst.value, 0.051, 0.26);
    EXPECT_TURNS("rank correlation of the curves", curve.rank_correlation.value, 0.94, 0.79);
    EXPECT_TURNS("regret of the chosen λ", curve.regret.value, 0.021, 0.041);
    EXPECT_TURNS("posterior spread ratio", at[0].f.spread.value, 0.79, 0.39);
    EXPECT_TURNS("posterior spread ratio", at[1].f.spread.value, 1.26, 2.6);
    EXPECT_TURNS("posterior captured signal", at[1].f.captured.value, 0.74, 0.39);
    EXPECT_TURNS("posterior fidelity", at[0].f.fidelity.value, 0.54, 0.29);
    EXPECT_TURNS("predictive NLL", at[1].generator.nll, 0.412, 0.51);
    EXPECT_TURNS("predictive ECE", at[0].generator.ece, 0.0151, 0.041);
}

Test(audit_verdict, mean_accuracy_has_a_standard_error_to_spare)
{
    passing p;
    open_passing(&p);
    p.r.curve.acc_gap_mean.value = -0.0007;
    cr_expect_eq(judged(&p, "accuracy, mean over λ"), VERDICT_WARN);
    p.r.curve.acc_gap_mean = (estimate){-0.0001, NAN}; /* none is known: nothing to spare */
    cr_expect_eq(judged(&p, "accuracy, mean over λ"), VERDICT_WARN);
    p.r.curve.acc_gap_mean.value = -0.006;
    cr_expect_eq(judged(&p, "accuracy, mean over λ"), VERDICT_FAIL);
}

Test(audit_verdict, the_worst_lambda_is_named)
{
    passing p;
    open_passing(&p);
    p.r.at[1].f.fidelity.value = 0.1;
    audit_judge(&p.r);
    const audit_line *line = line_of(&p.r, "posterior fidelity");
    cr_expect_eq(line->lambda, 1e-2);
    cr_expect_eq(line->value, 0.1);
    p.r.at[0].f.fidelity.value = 0.05;
    audit_judge(&p.r);
    cr_expect_eq(line_of(&p.r, "posterior fidelity")->lambda, 1e-3);
}

/* A step size at the end of the search, or one that leaves accuracy behind, is never a pass. */
Test(audit_verdict, a_doubtful_step_size_warns)
{
    passing p;
    open_passing(&p);
    p.r.rates.edge = true;
    cr_expect_eq(judged(&p, "step size of the refits"), VERDICT_WARN);
    cr_expect_not_null(line_of(&p.r, "step size of the refits")->note);
    p.r.rates.edge = false;
    p.r.rates.advantage = 0.0011;
    cr_expect_eq(judged(&p, "step size of the refits"), VERDICT_WARN);
}

/* Noise that hides what ω does is no failure of the generator, and no pass. */
Test(audit_verdict, a_signal_lost_in_noise_warns)
{
    passing p;
    open_passing(&p);
    for (int i = 0; i < 2; i++) {
        p.r.at[i].f.signal = (estimate){1.0, 0.6};
        p.r.at[i].f.fidelity = p.r.at[i].f.captured = p.r.at[i].f.spread = nothing;
    }
    cr_expect_eq(judged(&p, "posterior fidelity"), VERDICT_WARN);
    cr_expect(strstr(line_of(&p.r, "posterior fidelity")->note, "--draws") != NULL);
}

/* Regression has no accuracy and no predictive mean. */
Test(audit_verdict, regression_is_judged_by_its_error)
{
    passing p;
    open_passing(&p);
    p.r.curve.acc_gap_mean = p.r.curve.acc_gap_worst = nothing;
    p.r.curve.nll_gap_worst = (estimate){0.021, 0.001};
    p.r.curve.worst_nll = 0;
    p.r.rates.advantage = NAN;
    audit_judge(&p.r);
    cr_expect_eq(p.r.lines, 8);
    cr_expect_eq(line_of(&p.r, "squared error, worst λ")->verdict, VERDICT_WARN);
    cr_expect_float_eq(line_of(&p.r, "squared error, worst λ")->value, 5.25, 1e-9);
    cr_expect_eq(line_of(&p.r, "step size of the refits")->verdict, VERDICT_PASS);
}
