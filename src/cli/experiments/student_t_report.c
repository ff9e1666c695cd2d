#include "cli/experiments/student_t.h"

#include "cli/experiments/cells.h"
#include "cli/output.h"

#include <math.h>
#include <stdlib.h>

static const char *const method_name[METHODS] = {"exact fit", "linear generator (published form)",
                                                 "Chebyshev generator", "response generator"};
static const char *const method_key[METHODS] = {"mle", "generator", "chebyshev", "response"};

/* Published for the reference data, and means ± sd over 20 simulated data sets. */
static const struct {
    double nu, mu, sigma;
} published_choice[METHODS] = {{4.0, 1.684, 1.527}, {4.0, 1.681, 1.499}};
static const wbb_posterior published_posterior = {1.679, 0.096, 1.507, 0.080, NULL};
static const struct {
    double nu, nu_sd, mu, mu_sd, sigma, sigma_sd;
} published_replicates[METHODS] = {{5.3, 2.9, 2.02, 0.10, 1.50, 0.11},
                                   {5.2, 2.4, 2.02, 0.10, 1.48, 0.12}};
static const double PUBLISHED_WBB_MU = 0.089, PUBLISHED_WBB_SIGMA = 0.075;

/* ---- against the expected files ---------------------------------------------------------------- */

/* Largest absolute differences from expected_profile.csv. */
typedef struct {
    double exact_at, exact_train; /* the exact fit: μ or σ; how far its training NLL lies below */
    double followed_at, followed_nll;
    double generator_at, generator_nll;
} reference_gaps;

static double gap_of(location_scale a, location_scale b)
{
    return fmax(fabs(a.mu - b.mu), fabs(a.sigma - b.sigma));
}

static reference_gaps gaps_of(const student_t_result *r)
{
    reference_gaps g = {.exact_train = -INFINITY};
    for (int i = 0; i < NU_POINTS; i++) {
        const expected_point *e = &r->data.expected[i];
        double followed_train = student_t_nll(&r->data.train, NULL, nu_at(i), r->published.at[i]);
        g.exact_at = fmax(g.exact_at, gap_of(r->profile[BY_FIT].at[i], e->mle));
        g.exact_train = fmax(g.exact_train, e->train_nll - r->train_nll[i]);
        g.followed_at = fmax(g.followed_at, gap_of(r->published.at[i], e->mle));
        g.followed_nll = fmax(g.followed_nll, fabs(r->published.val_nll[i] - e->val_nll));
        g.followed_nll = fmax(g.followed_nll, fabs(followed_train - e->train_nll));
        g.generator_at = fmax(g.generator_at, gap_of(r->profile[BY_LINEAR].at[i], e->generator));
        g.generator_nll =
            fmax(g.generator_nll, fabs(r->profile[BY_LINEAR].val_nll[i] - e->val_nll_generator));
    }
    return g;
}

static void print_gaps(const student_t_result *r)
{
    if (r->data.expected == NULL)
        return;
    reference_gaps g = gaps_of(r);
    printf("\nlargest differences from expected_profile.csv\n"
           "  exact fit: μ, σ            %.1e   its training NLL lies up to %.1e lower: the\n"
           "                                       published optimiser stops before the minimum\n"
           "  that optimiser followed    %.1e   NLL %.1e\n",
           g.exact_at, g.exact_train, g.followed_at, g.followed_nll);
    if (r->data.pairs_given)
        printf("  linear generator           %.1e   NLL %.1e   (on the given pairs)\n",
               g.generator_at, g.generator_nll);
}

/* ---- tables ------------------------------------------------------------------------------------ */

static am_status print_choices(const student_t_result *r, am_error *err)
{
    bool reference = r->data.expected != NULL;
    cells t =
        cells_open(reference ? "|ν|μ|σ|validation NLL|published ν|μ|σ" : "|ν|μ|σ|validation NLL");
    for (int m = 0; m < METHODS; m++) {
        const nu_profile *p = &r->profile[m];
        char last[64] = "";
        if (reference && published_choice[m].nu > 0)
            (void)snprintf(last, sizeof last, "|%.1f|%.3f|%.3f", published_choice[m].nu,
                           published_choice[m].mu, published_choice[m].sigma);
        cells_row(&t, "%s|%.1f|%.3f|%.3f|%.3f%s", method_name[m], nu_at(p->choice),
                  p->at[p->choice].mu, p->at[p->choice].sigma, p->val_nll[p->choice], last);
    }
    return cells_print(&t, err);
}

static am_status print_posteriors(const student_t_result *r, am_error *err)
{
    printf("\nposterior at ν = %.1f, %d draws of ω: mean ± sd\n", nu_at(r->profile[BY_FIT].choice),
           r->draws);
    cells t = cells_open("|μ|σ");
    for (int m = 0; m < METHODS; m++) {
        const wbb_posterior *p = &r->posterior[m];
        cells_row(&t, "%s|%.3f ± %.3f|%.3f ± %.3f", method_name[m], p->mu_mean, p->mu_sd,
                  p->sigma_mean, p->sigma_sd);
    }
    const wbb_posterior *p = &published_posterior;
    if (r->data.expected != NULL)
        cells_row(&t, "published|%.3f ± %.3f|%.3f ± %.3f", p->mu_mean, p->mu_sd, p->sigma_mean,
                  p->sigma_sd);
    return cells_print(&t, err);
}

static am_status print_audit(const student_t_result *r, am_error *err)
{
    printf("\ndistance from exact fits at %d fresh (ν, ω), root mean square (spread of the fits "
           "over ω: μ %.3f, σ %.3f)\n",
           AUDITED, r->spread_mu, r->spread_sigma);
    cells t = cells_open("|μ|σ|nearer than linear|to make|per draw");
    const student_t_audit *linear = &r->audit[BY_LINEAR];
    for (int m = 0; m < METHODS; m++) {
        const student_t_audit *a = &r->audit[m];
        char made[32] = "-", nearer[48] = "-";
        if (m != BY_FIT)
            (void)snprintf(nearer, sizeof nearer, "%.1f × / %.1f ×", linear->mu / a->mu,
                           linear->sigma / a->sigma);
        if (m == BY_RESPONSE || (m != BY_FIT && !r->data.pairs_given))
            (void)snprintf(made, sizeof made, "%.4f s", r->make_seconds[m]);
        cells_row(&t, "%s|%.2e|%.2e|%s|%s|%.2f µs", method_name[m], a->mu, a->sigma, nearer, made,
                  1e6 * a->seconds / AUDITED);
    }
    AM_TRY(cells_print(&t, err));
    if (r->data.pairs_given)
        printf("(the pairs were given: their 200 fits are not in the seconds)\n");
    return AM_OK;
}

/* Mean and standard deviation of one field over the replicates. */
static void spread_of(const student_t_result *r, int field, double *mean, double *sd)
{
    double sum = 0, square = 0;
    for (int i = 0; i < r->replicates; i++)
        sum += r->replicate[i].field[field];
    *mean = sum / r->replicates;
    for (int i = 0; i < r->replicates; i++) {
        double gap = r->replicate[i].field[field] - *mean;
        square += gap * gap;
    }
    *sd = r->replicates > 1 ? sqrt(square / (r->replicates - 1)) : NAN;
}

static void replicate_moments(const student_t_result *r, int method, double moment[6])
{
    spread_of(r, REPLICATE_NU + method, &moment[0], &moment[1]);
    spread_of(r, REPLICATE_MU + method, &moment[2], &moment[3]);
    spread_of(r, REPLICATE_SIGMA + method, &moment[4], &moment[5]);
}

static am_status print_replicates(const student_t_result *r, am_error *err)
{
    printf("\n%d simulated data sets (ν = 4, μ = 2, σ = 1.5): mean ± sd\n", r->replicates);
    cells t = cells_open("|ν|μ|σ|published ν|μ|σ");
    for (int m = 0; m < METHODS; m++) {
        double v[6];
        char last[128] = "";
        replicate_moments(r, m, v);
        if (published_replicates[m].nu > 0)
            (void)snprintf(last, sizeof last, "|%.1f ± %.1f|%.2f ± %.2f|%.2f ± %.2f",
                           published_replicates[m].nu, published_replicates[m].nu_sd,
                           published_replicates[m].mu, published_replicates[m].mu_sd,
                           published_replicates[m].sigma, published_replicates[m].sigma_sd);
        cells_row(&t, "%s|%.1f ± %.1f|%.2f ± %.2f|%.2f ± %.2f%s", method_name[m], v[0], v[1], v[2],
                  v[3], v[4], v[5], last);
    }
    AM_TRY(cells_print(&t, err));
    double mu, sigma, ignored;
    spread_of(r, REPLICATE_MU_SD, &mu, &ignored);
    spread_of(r, REPLICATE_SIGMA_SD, &sigma, &ignored);
    printf("sd of the posterior, mean over the data sets: μ %.3f (published %.3f), σ %.3f "
           "(published %.3f)\n",
           mu, PUBLISHED_WBB_MU, sigma, PUBLISHED_WBB_SIGMA);
    return AM_OK;
}

/* ---- summary.json ------------------------------------------------------------------------------ */

static cJSON *add_estimate(cJSON *o, const char *key, double nu, location_scale at)
{
    cJSON *item = cJSON_AddObjectToObject(o, key);
    json_number(item, "nu", nu);
    json_number(item, "mu", at.mu);
    json_number(item, "sigma", at.sigma);
    return item;
}

static void add_posterior(cJSON *o, const char *key, const wbb_posterior *p)
{
    cJSON *item = cJSON_AddObjectToObject(o, key);
    json_number(item, "mu_mean", p->mu_mean);
    json_number(item, "mu_sd", p->mu_sd);
    json_number(item, "sigma_mean", p->sigma_mean);
    json_number(item, "sigma_sd", p->sigma_sd);
}

static void add_profile(cJSON *o, const student_t_result *r)
{
    cJSON *list = cJSON_AddArrayToObject(o, "profile");
    for (int i = 0; i < NU_POINTS; i++) {
        cJSON *point = cJSON_CreateObject();
        json_number(point, "nu", nu_at(i));
        json_number(point, "train_nll", r->train_nll[i]);
        for (int m = 0; m < METHODS; m++) {
            cJSON *item = cJSON_AddObjectToObject(point, method_key[m]);
            json_number(item, "mu", r->profile[m].at[i].mu);
            json_number(item, "sigma", r->profile[m].at[i].sigma);
            json_number(item, "val_nll", r->profile[m].val_nll[i]);
        }
        cJSON_AddItemToArray(list, point);
    }
}

static void add_audit(cJSON *o, const student_t_result *r)
{
    cJSON *audit = cJSON_AddObjectToObject(o, "audit");
    json_number(audit, "draws", AUDITED);
    json_number(audit, "spread_mu", r->spread_mu);
    json_number(audit, "spread_sigma", r->spread_sigma);
    for (int m = 0; m < METHODS; m++) {
        cJSON *item = cJSON_AddObjectToObject(audit, method_key[m]);
        json_number(item, "rmse_mu", r->audit[m].mu);
        json_number(item, "rmse_sigma", r->audit[m].sigma);
        json_number(item, "seconds_to_make", m == BY_FIT ? NAN : r->make_seconds[m]);
        json_number(item, "seconds_per_draw", r->audit[m].seconds / AUDITED);
    }
}

static void add_reference(cJSON *o, const student_t_result *r)
{
    if (r->data.expected == NULL)
        return;
    reference_gaps g = gaps_of(r);
    cJSON *item = cJSON_AddObjectToObject(o, "reference");
    json_number(item, "mle_max_difference", g.exact_at);
    json_number(item, "published_train_nll_above_minimum", g.exact_train);
    json_number(item, "published_optimiser_max_difference", g.followed_at);
    json_number(item, "published_optimiser_nll_max_difference", g.followed_nll);
    json_number(item, "generator_max_difference", r->data.pairs_given ? g.generator_at : NAN);
}

static void add_replicates(cJSON *o, const student_t_result *r)
{
    static const char *const key[6] = {"nu_mean", "nu_sd",      "mu_mean",
                                       "mu_sd",   "sigma_mean", "sigma_sd"};
    cJSON *list = cJSON_AddObjectToObject(o, "replicates");
    json_number(list, "count", r->replicates);
    for (int m = 0; m < METHODS; m++) {
        double v[6];
        cJSON *item = cJSON_AddObjectToObject(list, method_key[m]);
        replicate_moments(r, m, v);
        for (int j = 0; j < 6; j++)
            json_number(item, key[j], v[j]);
    }
}

static cJSON *summary(const settings *set, const student_t_result *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "experiment", "student-t");
    cJSON_AddStringToObject(o, "version", AM_VERSION);
    cJSON_AddStringToObject(o, "data", set->reference != NULL ? set->reference : "simulated");
    json_number(o, "seed", (double)set->seed);
    json_number(o, "draws", r->draws);
    for (int m = 0; m < METHODS; m++) {
        const nu_profile *p = &r->profile[m];
        cJSON *item = add_estimate(o, method_key[m], nu_at(p->choice), p->at[p->choice]);
        json_number(item, "val_nll", p->val_nll[p->choice]);
    }
    add_posterior(o, "posterior", &r->posterior[BY_FIT]);
    cJSON *others = cJSON_AddObjectToObject(o, "posterior_by");
    for (int m = BY_LINEAR; m < METHODS; m++)
        add_posterior(others, method_key[m], &r->posterior[m]);
    add_profile(o, r);
    add_audit(o, r);
    const exact_fidelities answers = student_t_fidelities(r);
    cJSON_AddItemToObject(o, "fidelity", output_fidelity_json(&answers));
    add_reference(o, r);
    add_replicates(o, r);
    json_number(cJSON_AddObjectToObject(o, "seconds"), "total", r->total_seconds);
    return o;
}

am_status student_t_report(const settings *set, const student_t_result *r, const char *folder,
                           am_error *err)
{
    cJSON *document = summary(set, r);
    am_status status = output_summary(document, folder, err);
    if (status == AM_OK)
        status = student_t_files(r, folder, err);
    if (status == AM_OK && set->json) {
        output_json(document, stdout);
        return AM_OK;
    }
    cJSON_Delete(document);
    AM_TRY(status);
    AM_TRY(print_choices(r, err));
    print_gaps(r);
    AM_TRY(print_posteriors(r, err));
    AM_TRY(print_audit(r, err));
    const exact_fidelities answers = student_t_fidelities(r);
    AM_TRY(output_fidelity_table(&answers, err));
    AM_TRY(print_replicates(r, err));
    printf(
        "\nin all %.2f s; written to %s: summary.json, profile.csv, posterior.csv, replicates.csv, "
        "profile.svg, posterior.svg\n",
        r->total_seconds, folder);
    return AM_OK;
}
