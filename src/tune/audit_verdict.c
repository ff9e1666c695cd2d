/* The verdicts. One table holds every threshold, with the reason for it; the answer to "may I trust
 * this generator?" is the worst of its lines.
 *
 * A property passes when its value lies within [pass_low, pass_high], give or take `errors` standard
 * errors; it fails when it lies outside [fail_low, fail_high]; else it is a warning: look at it. */
#include "tune/audit.h"

#include <math.h>

typedef enum {
    STEP_SIZE,
    ACCURACY_MEAN,
    ACCURACY_WORST,
    NLL_WORST,
    CRITERION_WORST,
    RANKS,
    REGRET,
    SPREAD,
    CAPTURED,
    FIDELITY,
    PREDICTIVE_NLL,
    PREDICTIVE_ECE,
    PROPERTIES
} property_kind;

typedef struct {
    const char *property, *unit;
    double pass_low, pass_high, fail_low, fail_high, errors;
} threshold;

static const threshold table[PROPERTIES] = {
    /* A search by NLL may leave accuracy on the table, and then the comparison flatters us. A tenth
     * of a point is what one refit differs from the next by. */
    [STEP_SIZE] = {"step size of the refits", "points", -INFINITY, 0.1, -INFINITY, INFINITY, 0},
    /* "As good as retraining" on average, to the noise of the refits; half a point is what users
     * would retrain for. */
    [ACCURACY_MEAN] = {"accuracy, mean over λ", "points", 0, INFINITY, -0.5, INFINITY, 1},
    /* The worst of 20 λ is low by selection alone: a quarter of a point is about two standard
     * deviations of a refit. */
    [ACCURACY_WORST] = {"accuracy, worst λ", "points", -0.25, INFINITY, -1, INFINITY, 0},
    /* Regression has no accuracy; its squared error is held to the criterion's limits. */
    [NLL_WORST] = {"squared error, worst λ", "%", -INFINITY, 5, -INFINITY, 25, 0},
    /* What the generator was trained on. A few percent of it are not seen in any prediction; a
     * quarter more means a network that is not the minimiser for this λ. */
    [CRITERION_WORST] = {"training criterion, worst λ", "%", -INFINITY, 5, -INFINITY, 25, 0},
    /* The order of the λ is what tuning uses. Among 20 points 0.95 leaves neighbours swapped, 0.8
     * whole stretches. */
    [RANKS] = {"rank correlation of the curves", "", 0.95, INFINITY, 0.8, INFINITY, 0},
    /* What choosing λ by the generator costs: nothing that the validation rows can tell. A tenth of
     * the loss is more than most tuning gains. */
    [REGRET] = {"regret of the chosen λ", "%", -INFINITY, 0, -INFINITY, 10, 1},
    /* Intervals from the draws are √spread too wide: within 12 % passes; off by 1.6 fails. */
    [SPREAD] = {"posterior spread ratio", "", 0.8, 1.25, 0.4, 2.5, 0},
    /* The share of the refits' response that the draws repeat. */
    [CAPTURED] = {"posterior captured signal", "", 0.75, INFINITY, 0.4, INFINITY, 0},
    /* One refit follows another's response at about 0.5: a draw must follow it better than the very
     * thing that it stands for. Below 0.3 nine tenths of what the draws do is something else. */
    [FIDELITY] = {"posterior fidelity", "", 0.55, INFINITY, 0.3, INFINITY, 0},
    /* What a posterior is for. */
    [PREDICTIVE_NLL] = {"predictive NLL", "%", -INFINITY, 0, -INFINITY, 25, 1},
    [PREDICTIVE_ECE] = {"predictive ECE", "points", -INFINITY, 0.5, -INFINITY, 3, 0},
};

/* The thresholds in words, as they are printed: "≥ -0.25, fails < -1". */
static void rule_text(const threshold *t, char *text, size_t size)
{
    char pass[64], errors[32] = "", fail[64] = "";
    bool low = isfinite(t->pass_low), high = isfinite(t->pass_high);
    if (low && high)
        (void)snprintf(pass, sizeof pass, "%g..%g", t->pass_low, t->pass_high);
    else
        (void)snprintf(pass, sizeof pass, "%s %g", low ? "≥" : "≤",
                       low ? t->pass_low : t->pass_high);
    if (t->errors > 0)
        (void)snprintf(errors, sizeof errors, " %s %g s.e.", low ? "-" : "+", t->errors);
    if (isfinite(t->fail_low) && isfinite(t->fail_high))
        (void)snprintf(fail, sizeof fail, ", fails outside %g..%g", t->fail_low, t->fail_high);
    else if (isfinite(t->fail_low) || isfinite(t->fail_high))
        (void)snprintf(fail, sizeof fail, ", fails %s %g", low ? "<" : ">",
                       low ? t->fail_low : t->fail_high);
    (void)snprintf(text, size, "%s%s%s", pass, errors, fail);
}

const char *audit_verdict_name(audit_verdict verdict)
{
    static const char *const name[] = {"PASS", "WARN", "FAIL"};
    return name[verdict];
}

static audit_verdict verdict_of(const threshold *t, double value, double se)
{
    double slack = isnan(se) || t->errors <= 0 ? 0.0 : t->errors * se;
    if (isnan(value) || value < t->fail_low || value > t->fail_high)
        return VERDICT_FAIL;
    return value >= t->pass_low - slack && value <= t->pass_high + slack ? VERDICT_PASS
                                                                         : VERDICT_WARN;
}

static audit_line judged(property_kind kind, estimate value, double scale, double lambda)
{
    const threshold *t = &table[kind];
    audit_line line = {.property = t->property,
                       .unit = t->unit,
                       .value = scale * value.value,
                       .se = scale * value.se,
                       .lambda = lambda,
                       .verdict = verdict_of(t, scale * value.value, scale * value.se)};
    rule_text(t, line.rule, sizeof line.rule);
    return line;
}

static void add(audit_result *r, audit_line line)
{
    r->line[r->lines++] = line;
    r->verdict = AM_MAX(r->verdict, line.verdict);
}

/* ---- curve ----------------------------------------------------------------------------------- */

static bool has_classes(const audit_result *r)
{
    return !isnan(r->curve.acc_gap_mean.value);
}

static void judge_step_size(audit_result *r)
{
    double advantage = has_classes(r) ? r->rates.advantage : 0.0;
    audit_line line = judged(STEP_SIZE, (estimate){advantage, NAN}, 100, NAN);
    if (r->rates.edge) {
        line.verdict = AM_MAX(line.verdict, VERDICT_WARN);
        line.note = "the best step size is the smallest or the largest that was tried";
    }
    add(r, line);
}

static estimate relative(estimate value, double to)
{
    return (estimate){value.value / to, value.se / to};
}

static void judge_curve(audit_result *r)
{
    const audit_curve *c = &r->curve;
    const double *lambda = c->curve.lambda;
    judge_step_size(r);
    if (has_classes(r)) {
        add(r, judged(ACCURACY_MEAN, c->acc_gap_mean, 100, NAN));
        add(r, judged(ACCURACY_WORST, c->acc_gap_worst, 100, lambda[c->worst_acc]));
    } else {
        double theirs = audit_refit_mean(c, c->worst_nll, METRIC_NLL);
        add(r, judged(NLL_WORST, relative(c->nll_gap_worst, theirs), 100, lambda[c->worst_nll]));
    }
    add(r, judged(CRITERION_WORST, c->criterion_gap_worst, 100, lambda[c->worst_criterion]));
    add(r, judged(RANKS, c->rank_correlation, 1, NAN));
    double least = audit_refit_mean(c, c->refit_best, METRIC_NLL);
    add(r, judged(REGRET, relative(c->regret, least), 100, lambda[c->best]));
}

/* ---- posterior ------------------------------------------------------------------------------- */

/* How far inside the limits of a pass; the least is the worst. */
static double margin(const threshold *t, double value)
{
    return fmin(value - t->pass_low, t->pass_high - value);
}

static bool resolved(const fidelity *f)
{
    return f->signal.value > 2.0 * f->signal.se;
}

static estimate posterior_value(const audit_posterior *at, property_kind kind)
{
    const metrics *g = &at->generator, *e = &at->refits;
    switch (kind) {
    case SPREAD:
        return at->f.spread;
    case CAPTURED:
        return at->f.captured;
    case FIDELITY:
        return at->f.fidelity;
    case PREDICTIVE_NLL:
        return (estimate){100.0 * (g->nll / e->nll - 1.0), 100.0 * e->nll_se / e->nll};
    default:
        return (estimate){100.0 * (g->ece - e->ece), NAN};
    }
}

/* The λ at which the property is worst. Where two standard errors of the signal reach 0 the refits do
 * not say what ω does, and neither a pass nor a failure means anything. */
static void judge_posterior_property(audit_result *r, property_kind kind)
{
    audit_line worst = {0};
    for (int i = 0; i < r->lambdas; i++) {
        const audit_posterior *at = &r->at[i];
        audit_line line = judged(kind, posterior_value(at, kind), 1, at->lambda);
        line.note = at->f.note;
        if (kind <= FIDELITY && !resolved(&at->f)) {
            line.verdict = VERDICT_WARN;
            line.note = "the refits' response to ω is lost in their noise: take more --draws";
        }
        double inside = margin(&table[kind], line.value);
        bool worse =
            line.verdict > worst.verdict ||
            (line.verdict == worst.verdict && !(inside >= margin(&table[kind], worst.value)));
        if (i == 0 || worse)
            worst = line;
    }
    add(r, worst);
}

void audit_judge(audit_result *r)
{
    r->lines = 0;
    r->verdict = VERDICT_PASS;
    judge_curve(r);
    for (int kind = SPREAD; r->lambdas > 0 && kind < PROPERTIES; kind++)
        if (kind <= FIDELITY || has_classes(r))
            judge_posterior_property(r, (property_kind)kind);
}
