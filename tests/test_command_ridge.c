/* amortune experiment ridge, toy and double-descent: the results that scripts rely on, the published
 * numbers on the published data, and inputs that are wrong. */
#include "cli/commands.h"
#include "cli/experiments/experiments.h"
#include "cli/option.h"
#include "support/program.h"

#include <math.h>

/* The folder of reference data `name`, or NULL: AMORTUNE_DATA is read before the tests of the
 * command line hide it. */
static const char *reference(const char *name)
{
    static char path[4096];
    const char *data = getenv("AMORTUNE_DATA");
    if (data == NULL)
        return NULL;
    (void)snprintf(path, sizeof path, "%s/reference/%s", data, name);
    return am_path_exists(path) ? path : NULL;
}

/* ---- ridge ------------------------------------------------------------------------------------- */

Test(command_ridge, simulated)
{
    test_folder folder = make_folder();
    cJSON *o = summary_of(&folder, "results/ridge/summary.json",
                          succeeds(&folder, "experiment ridge --replications 3 --json"));
    expect_json_items(o, "gcv.lambda gcv.test_mse cv.lambda cv.test_mse amortized.lambda "
                         "amortized.test_mse generator.lambda generator.test_mse curves.79.lambda "
                         "curves.0.gcv curves.0.cv curves.0.amortized curves.0.generator "
                         "simulated.generator.excess_most sizes.0.p");
    cr_expect_eq(cJSON_GetArraySize(json_item(o, "curves")), 80);
    cr_expect_float_eq(json_value(o, "curves.0.lambda"), 1e-4, 1e-12);
    cr_expect_float_eq(json_value(o, "curves.79.lambda"), 5, 1e-9);
    /* what the better generator is for */
    cr_expect_leq(json_value(o, "simulated.generator.steps_most"), 1);
    cr_expect_leq(json_value(o, "simulated.generator.excess_most"), 0.002);
    cr_expect_lt(json_value(o, "generator.curve_gap"), 1e-4);
    cr_expect_gt(json_value(o, "amortized.curve_gap"), 1e-2);
    cJSON_Delete(o);
    expect_csv(&folder, "results/ridge/curves.csv", "lambda,gcv,cv,amortized,chebyshev,generator",
               80);
    expect_svg(&folder, "results/ridge/curves.svg");
    remove_folder(&folder);
}

Test(command_ridge, prints_and_repeats)
{
    test_folder folder = make_folder();
    char *out = succeeds(&folder, "experiment ridge --replications 2 --out a");
    static const char *const parts[] = {"GCV", "5-fold CV, exact", "rational Krylov",
                                        "2 simulated data sets", "written to a: summary.json"};
    for (int i = 0; i < 5; i++)
        expect_holds(out, parts[i]);
    expect_lacks(out, "nan");
    expect_lacks(out, "published λ");
    free(out);
    free(succeeds(&folder, "experiment ridge --replications 2 --out b"));
    free(succeeds(&folder, "experiment ridge --replications 2 --out c --seed 2"));
    cr_expect(same_files(&folder, "a/curves.csv", "b/curves.csv"));
    cr_expect_not(same_files(&folder, "a/curves.csv", "c/curves.csv"));
    remove_folder(&folder);
}

static void expect_published(const cJSON *o, const char *method, double lambda, double mse)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s.lambda", method);
    cr_expect_float_eq(json_value(o, path) / lambda, 1, 1e-6, "%s", path);
    (void)snprintf(path, sizeof path, "%s.test_mse", method);
    cr_expect_float_eq(json_value(o, path) / mse, 1, 1e-6, "%s", path);
}

Test(command_ridge, published_numbers_on_the_published_data)
{
    const char *path = reference("ridge");
    if (path == NULL)
        cr_skip_test("no $AMORTUNE_DATA/reference/ridge");
    test_folder folder = make_folder();
    cJSON *o = summary_of(
        &folder, "r/summary.json",
        succeeds(&folder, "experiment ridge --reference '%s' --replications 1 --out r --json",
                 path));
    expect_published(o, "gcv", 0.04141406402, 1.46266926);
    expect_published(o, "cv", 0.04749287751, 1.449783702);
    expect_published(o, "amortized", 0.02746034262, 1.49973147);
    expect_published(o, "generator", 0.04749287751, 1.449783702);
    static const char *const method[] = {"gcv", "cv", "amortized"};
    for (int i = 0; i < 3; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, "%s.expected_gap", method[i]);
        cr_expect_lt(json_value(o, key), 1e-6, "%s", key);
    }
    cJSON_Delete(o);
    remove_folder(&folder);
}

/* A small data set in the reference's layout: 12 rows, 2 covariates, 3 folds. */
static void put_reference(const test_folder *folder)
{
    static const char rows[] = "1,2,3\n2,1,3\n0,1,1\n1,0,1\n2,2,4\n3,1,5\n1,1,1\n0,2,2\n2,3,5\n"
                               "1,3,3\n3,3,6\n0,0,1\n";
    put_text(in_folder(folder, "train_x_then_y.csv"), rows);
    put_text(in_folder(folder, "test_x_then_y.csv"), "1,1,2\n2,3,5\n");
    put_text(in_folder(folder, "fold_id.csv"), "1\n2\n3\n1\n2\n3\n1\n2\n3\n1\n2\n3\n");
    put_text(in_folder(folder, "block_id.csv"), "1\n2\n3\n1\n2\n3\n1\n2\n3\n1\n2\n3\n");
}

/* No expected curves and no λ for the generator: both may be missing. */
Test(command_ridge, own_data)
{
    test_folder folder = make_folder();
    put_reference(&folder);
    free(succeeds(&folder, "experiment ridge --reference . --replications 1 --out r"));
    free(succeeds(&folder, "experiment toy --reference . --replications 2 --out t"));
    /* every fold one row; constant, repeated and zero columns */
    put_text(in_folder(&folder, "fold_id.csv"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
    put_text(in_folder(&folder, "train_x_then_y.csv"),
             "1,0,3,3,3\n1,0,1,1,3\n1,0,1,1,1\n1,0,0,0,1\n1,0,2,2,4\n1,0,1,1,5\n1,0,1,1,1\n"
             "1,0,2,2,2\n1,0,3,3,5\n1,0,3,3,3\n1,0,3,3,6\n1,0,0,0,1\n");
    put_text(in_folder(&folder, "test_x_then_y.csv"), "1,0,1,1,2\n");
    char *out = succeeds(&folder, "experiment ridge --reference . --replications 1 --out r");
    expect_lacks(out, "nan");
    expect_lacks(out, "inf");
    free(out);
    /* nothing to explain */
    put_text(in_folder(&folder, "train_x_then_y.csv"),
             "1,0\n2,0\n3,0\n4,0\n5,0\n6,0\n7,0\n8,0\n9,0\n1,0\n2,0\n3,0\n");
    put_text(in_folder(&folder, "test_x_then_y.csv"), "1,0\n");
    out = succeeds(&folder, "experiment ridge --reference . --replications 1 --out r");
    expect_lacks(out, "nan");
    expect_lacks(out, "inf");
    free(out);
    /* sums of squares beyond double precision */
    put_text(in_folder(&folder, "test_x_then_y.csv"), "1,1\n");
    put_text(in_folder(&folder, "train_x_then_y.csv"),
             "1e200,1\n2,0\n3,0\n4,0\n5,0\n6,0\n7,0\n8,0\n9,0\n1,0\n2,0\n3,0\n");
    refuses(&folder, 2, "numbers too large for double precision; rescale the columns",
            "experiment ridge --reference . --out r");
    refuses(&folder, 2, "numbers too large for double precision; rescale the columns",
            "experiment toy --reference . --out t");
    remove_folder(&folder);
}

Test(command_ridge, wrong_reference_data)
{
    static const struct {
        const char *file, *text, *parts;
    } wrong[] = {
        {"train_x_then_y.csv", "1,2,3\n1,,3\n", "./train_x_then_y.csv:2: field 2 is empty; give"},
        {"test_x_then_y.csv", "1,2,3,4\n",
         "./test_x_then_y.csv: 3 covariates, the training file has 2; give both"},
        {"fold_id.csv", "1\n2\n", "./fold_id.csv: 2 lines of 1 fields; give one label for each"},
        {"fold_id.csv", "1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n",
         "./fold_id.csv: 1 folds; number 2 to 1000"},
        {"generator_lambdas_fold1.csv", "lambda\n0.1\n",
         "./generator_lambdas_fold1.csv: 1 lines of 1 fields; give one λ a line"},
        {"generator_lambdas_fold1.csv", "lambda\n0.1\n0\n1\n",
         "./generator_lambdas_fold1.csv:3: λ = 0; give a positive number"},
        {"generator_lambdas_fold1.csv", "lambda\n0.1\n0.2\n1\n",
         "./generator_lambdas_fold2.csv: cannot be opened"},
        {"expected_curves.csv", "1,2,3,4\n", "./expected_curves.csv: not λ, GCV, CV"},
    };
    test_folder folder = make_folder();
    refuses(&folder, 2, "none/train_x_then_y.csv: cannot be opened",
            "experiment ridge --reference none");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_reference(&folder);
        put_text(in_folder(&folder, wrong[i].file), wrong[i].text);
        refuses(&folder, 2, wrong[i].parts, "experiment ridge --reference . --out r");
        cr_expect_not(am_path_exists(in_folder(&folder, "r/summary.json")));
        cr_assert_eq(remove(in_folder(&folder, wrong[i].file)), 0);
    }
    put_reference(&folder);
    put_text(in_folder(&folder, "block_id.csv"), "1\n3\n3\n1\n3\n3\n1\n3\n3\n1\n3\n3\n");
    refuses(&folder, 2, "./block_id.csv: no row has label 2 of 3",
            "experiment toy --reference . --out t");
    remove_folder(&folder);
}

/* ---- toy --------------------------------------------------------------------------------------- */

static double cell(const cJSON *o, const char *way, int index, const char *key)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s.%d.%s", way, index, key);
    return json_value(o, path);
}

Test(command_toy, simulated)
{
    test_folder folder = make_folder();
    cJSON *o = summary_of(&folder, "results/toy/summary.json",
                          succeeds(&folder, "experiment toy --replications 2 --json"));
    static const int budget[2][5] = {{50, 100, 200, 400, 800}, {200, 500, 1000, 2000, 10000}};
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(cell(o, "supervised", i, "budget"), budget[0][i]);
        cr_expect_eq(cell(o, "criterion", i, "budget"), budget[1][i]);
        cr_expect(cell(o, "supervised", i, "seconds") > 0 && cell(o, "criterion", i, "ipl_se") > 0);
        /* descent and the normal equations have the same minimiser */
        cr_expect_float_eq(cell(o, "criterion", i, "ipl_mean") / cell(o, "exact", i, "ipl_mean"), 1,
                           0.01);
    }
    cr_expect_gt(cell(o, "supervised", 0, "ipl_mean"), cell(o, "supervised", 4, "ipl_mean"));
    cr_expect_float_eq(json_value(o, "closed_form.ipl_mean") / cell(o, "exact", 4, "ipl_mean"), 1,
                       0.02);
    cJSON_Delete(o);
    expect_csv(&folder, "results/toy/cells.csv", "way,budget,ipl_mean,ipl_se,seconds", 16);
    expect_svg(&folder, "results/toy/ipl.svg");
    char *out = succeeds(&folder, "experiment toy --replications 2");
    expect_holds(out, "0.067 ± 0.003");
    expect_holds(out, "each with its own simulated data and draws");
    expect_lacks(out, "nan");
    free(out);
    remove_folder(&folder);
}

/* Table 1 on the published data, within 2 published standard errors or 0.001. The default number of
 * replications takes seconds; fewer leave the cell of 50 labels to luck. */
Test(command_toy, published_table)
{
    const char *path = reference("toy");
    if (path == NULL)
        cr_skip_test("no $AMORTUNE_DATA/reference/toy");
    static const struct {
        const char *way;
        int index;
        double mean, tolerance;
    } published[] = {{"supervised", 0, 0.067, 0.006}, {"supervised", 2, 0.033, 0.002},
                     {"supervised", 4, 0.029, 0.002}, {"criterion", 1, 0.033, 0.001},
                     {"criterion", 3, 0.032, 0.001},  {"criterion", 4, 0.031, 0.001}};
    test_folder folder = make_folder();
    cJSON *o =
        summary_of(&folder, "t/summary.json",
                   succeeds(&folder, "experiment toy --reference '%s' --out t --json", path));
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        cr_expect_float_eq(cell(o, published[i].way, published[i].index, "ipl_mean"),
                           published[i].mean, published[i].tolerance, "%s %d", published[i].way,
                           published[i].index);
    cJSON_Delete(o);
    remove_folder(&folder);
}

/* ---- double descent ---------------------------------------------------------------------------- */

/* Row of size p in "sizes". */
static const cJSON *size_of(const cJSON *o, int p)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, json_item(o, "sizes"))
    {
        if (json_value(item, "p") == p)
            return item;
    }
    cr_assert(false, "no p = %d", p);
    return NULL;
}

Test(command_double_descent, follows_theory_across_the_threshold)
{
    test_folder folder = make_folder();
    cJSON *o = summary_of(&folder, "results/double-descent/summary.json",
                          succeeds(&folder, "experiment double-descent --replications 20 --json"));
    static const int sizes[] = {10, 30, 50, 200, 500, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const cJSON *s = size_of(o, sizes[i]);
        double risk = json_value(s, "ridgeless_risk"), se = json_value(s, "ridgeless_risk_se");
        cr_expect_float_eq(risk, json_value(s, "ridgeless_expected"), 4 * se, "p = %d", sizes[i]);
        cr_expect_float_eq(json_value(s, "best_risk") / json_value(s, "best_limit"), 1, 0.05);
        cr_expect_geq(json_value(s, "tuned_risk"), json_value(s, "best_risk"));
    }
    const cJSON *at = size_of(o, 100);
    cr_expect(cJSON_IsNull(json_item(at, "ridgeless_expected")));
    cr_expect_gt(json_value(at, "ridgeless_risk"), 20);
    cr_expect_lt(json_value(at, "tuned_gcv"), 5);
    cJSON_Delete(o);
    expect_csv(&folder, "results/double-descent/risk.csv",
               "p,ridgeless_risk,ridgeless_risk_se,ridgeless_expected,ridgeless_gcv,"
               "ridgeless_gcv_se,lambda,tuned_risk,tuned_risk_se,tuned_gcv,tuned_gcv_se,best_risk,"
               "best_limit,seconds",
               17);
    expect_svg(&folder, "results/double-descent/risk.svg");
    remove_folder(&folder);
}

Test(command_double_descent, prints)
{
    test_folder folder = make_folder();
    char *out = succeeds(&folder, "experiment double-descent --replications 2 --out d");
    expect_holds(out, "least squares");
    expect_holds(out, "∞");
    expect_lacks(out, "nan");
    free(out);
    remove_folder(&folder);
}

/* ---- options ----------------------------------------------------------------------------------- */

/* An option that an experiment would ignore is refused, and says who takes it. */
Test(command_ridge, options_of_other_experiments)
{
    test_folder folder = make_folder();
    put_text(in_folder(&folder, "run.json"), "{\"epochs\": 2}");
    refuses(&folder, 2,
            "--epochs is no option of experiment ridge; leave it out: experiments that take it: "
            "mnist",
            "experiment ridge --epochs 3");
    refuses(&folder, 2, "--epochs is no option of experiment toy",
            "experiment toy --config run.json");
    refuses(&folder, 2, "--reference is no option of experiment mnist|toy, ridge",
            "experiment mnist --reference .");
    refuses(&folder, 2, "--reference is no option of experiment double-descent",
            "experiment double-descent --reference .");
    refuses(&folder, 2,
            "--device cuda: experiment toy computes in double precision on the CPU; leave it out",
            "experiment toy --device cuda");
    refuses(&folder, 2, "--precision tf32: experiment ridge computes in double precision",
            "experiment ridge --precision tf32");
    refuses(&folder, 2, "--replications -1: out of range", "experiment ridge --replications -1");
    cr_expect_eq(count_entries(&folder), 1, "a file was left");
    remove_folder(&folder);
}

/* The experiments' lists name options of the command, and every such option has a taker. */
Test(command_ridge, lists_of_options_are_sound)
{
    for (const experiment *e = experiment_table; e->name != NULL; e++) {
        char *words = strdup(e->options), *rest = words;
        for (char *word; (word = strsep(&rest, " ")) != NULL && *word != '\0';) {
            int rows = 0;
            for (int i = 0; i < option_count; i++)
                rows += strcmp(option_table[i].name, word) == 0 &&
                        (option_table[i].commands & CMD_EXPERIMENT) != 0;
            cr_expect_eq(rows, 1, "%s: '%s'", e->name, word);
        }
        free(words);
        cr_expect_eq(experiment_find(e->name), e);
    }
    for (int i = 0; i < option_count; i++) {
        bool taken = option_table[i].group == GROUP_COMMON;
        for (const experiment *e = experiment_table; e->name != NULL; e++)
            taken |= experiment_takes(e, option_table[i].name);
        cr_expect(taken || !(option_table[i].commands & CMD_EXPERIMENT), "--%s",
                  option_table[i].name);
    }
    cr_expect_null(experiment_find("rid"));
    cr_expect_not(experiment_takes(experiment_find("ridge"), "ref"));
}

/* The start-up print names what the run uses and nothing else. */
Test(command_ridge, start_up_print)
{
    test_folder folder = make_folder();
    outcome o = amortune(&folder, "experiment double-descent --replications 1 --device cpu");
    cr_expect_eq(o.code, 0, "%s", o.err);
    expect_holds(o.err, "--replications 1");
    expect_holds(o.err, "--seed 1");
    expect_lacks(o.err, "--epochs");
    expect_lacks(o.err, "--protocol");
    outcome_free(&o);
    o = amortune(&folder, "help experiment");
    expect_holds(o.out, "\nexperiments\n");
    expect_holds(o.out, "\n  ridge ");
    expect_holds(o.out, "double-descent");
    outcome_free(&o);
    remove_folder(&folder);
}
