/* amortune experiment student-t: the results that scripts rely on, the published numbers on the
 * published data, and inputs that are wrong. */
#include "support/program.h"

#include <math.h>
#include <sys/stat.h>

Test(command_student_t, simulated)
{
    test_folder folder = make_folder();
    cJSON *o = summary_of(&folder, "results/student-t/summary.json",
                          succeeds(&folder, "experiment student-t --replications 2 --json"));
    expect_json_items(o, "mle.nu mle.mu mle.sigma generator.nu generator.mu generator.sigma "
                         "response.nu chebyshev.nu posterior.mu_mean posterior.mu_sd "
                         "posterior.sigma_mean posterior.sigma_sd profile.0.nu profile.27.mle.mu "
                         "profile.27.generator.val_nll audit.response.rmse_mu "
                         "replicates.mle.nu_mean seconds.total");
    cr_expect_eq(cJSON_GetArraySize(json_item(o, "profile")), 28);
    cr_expect_eq(json_value(o, "profile.27.nu"), 15);
    cr_expect_eq(json_value(o, "replicates.count"), 2);
    /* ν = 4, μ = 2, σ = 1.5 within a few standard errors */
    cr_expect_float_eq(json_value(o, "mle.mu"), 2, 0.4);
    cr_expect_float_eq(json_value(o, "mle.sigma"), 1.5, 0.4);
    /* what the better generators are for */
    double linear = json_value(o, "audit.generator.rmse_mu");
    cr_expect_lt(json_value(o, "audit.chebyshev.rmse_mu"), linear);
    cr_expect_lt(json_value(o, "audit.response.rmse_mu"), 0.1 * linear);
    cr_expect_lt(json_value(o, "audit.response.rmse_sigma"),
                 0.02 * json_value(o, "audit.spread_sigma"));
    cr_expect_eq(json_value(o, "response.nu"), json_value(o, "mle.nu"));
    cr_expect_float_eq(json_value(o, "posterior_by.response.mu_sd"),
                       json_value(o, "posterior.mu_sd"), 1e-3);
    cJSON_Delete(o);
    expect_csv(&folder, "results/student-t/profile.csv",
               "nu,train_nll,mu_mle,sigma_mle,val_nll_mle,mu_generator,sigma_generator,"
               "val_nll_generator,mu_chebyshev,sigma_chebyshev,val_nll_chebyshev,mu_response,"
               "sigma_response,val_nll_response",
               28);
    expect_csv(&folder, "results/student-t/posterior.csv",
               "mu_fit,sigma_fit,mu_generator,sigma_generator,mu_chebyshev,sigma_chebyshev,"
               "mu_response,sigma_response",
               1000);
    expect_svg(&folder, "results/student-t/profile.svg");
    expect_svg(&folder, "results/student-t/posterior.svg");
    remove_folder(&folder);
}

Test(command_student_t, prints_and_repeats)
{
    test_folder folder = make_folder();
    char *out = succeeds(&folder, "experiment student-t --replications 1 --out a");
    static const char *const parts[] = {"exact fit", "linear generator (published form)",
                                        "response generator", "1 simulated data sets",
                                        "written to a: summary.json"};
    for (int i = 0; i < 5; i++)
        expect_holds(out, parts[i]);
    expect_lacks(out, "expected_profile");
    free(out);
    free(succeeds(&folder, "experiment student-t --replications 1 --out b"));
    free(succeeds(&folder, "experiment student-t --replications 1 --out c --seed 2"));
    cr_expect(same_files(&folder, "a/posterior.csv", "b/posterior.csv"));
    cr_expect(same_files(&folder, "a/replicates.csv", "b/replicates.csv"));
    cr_expect_not(same_files(&folder, "a/posterior.csv", "c/posterior.csv"));
    remove_folder(&folder);
}

Test(command_student_t, published_numbers_on_the_published_data)
{
    const char *data = getenv("AMORTUNE_DATA");
    char path[4096] = "";
    if (data != NULL)
        (void)snprintf(path, sizeof path, "%s/reference/student_t", data);
    if (data == NULL || !am_path_exists(path))
        cr_skip_test("no $AMORTUNE_DATA/reference/student_t");
    test_folder folder = make_folder();
    cJSON *o = summary_of(
        &folder, "r/summary.json",
        succeeds(&folder, "experiment student-t --reference '%s' --replications 1 --out r --json",
                 path));
    cr_expect_eq(json_value(o, "mle.nu"), 4);
    cr_expect_float_eq(json_value(o, "mle.mu"), 1.684, 5e-4);
    cr_expect_float_eq(json_value(o, "mle.sigma"), 1.527, 5e-4);
    cr_expect_eq(json_value(o, "generator.nu"), 4);
    cr_expect_float_eq(json_value(o, "generator.mu"), 1.681, 5e-4);
    cr_expect_float_eq(json_value(o, "generator.sigma"), 1.499, 5e-4);
    cr_expect_lt(json_value(o, "reference.generator_max_difference"), 1e-6);
    cr_expect_lt(json_value(o, "reference.published_optimiser_max_difference"), 1e-4);
    cr_expect_lt(json_value(o, "reference.published_optimiser_nll_max_difference"), 1e-4);
    /* the exact fit lies at or below the published one, by less than 1e-4 nats */
    double below = json_value(o, "reference.published_train_nll_above_minimum");
    cr_expect(below >= -1e-9 && below < 1e-4, "%g", below);
    cr_expect_float_eq(json_value(o, "posterior_by.generator.mu_mean"), 1.679, 0.01);
    cr_expect_float_eq(json_value(o, "posterior_by.generator.mu_sd"), 0.096, 0.01);
    cr_expect_float_eq(json_value(o, "posterior_by.generator.sigma_sd"), 0.080, 0.01);
    cJSON_Delete(o);
    remove_folder(&folder);
}

/* ---- wrong input ------------------------------------------------------------------------------- */

/* 32 training values in 4 blocks, 6 validation values. */
static void put_reference(const test_folder *folder)
{
    char y[2048] = "", block[512] = "";
    for (int i = 0; i < 32; i++) {
        (void)snprintf(y + strlen(y), sizeof y - strlen(y), "%.3f\n",
                       0.1 * (i * 13 % 32) + (i % 7 == 0 ? 3 : 0));
        (void)snprintf(block + strlen(block), sizeof block - strlen(block), "%d\n", 1 + i % 4);
    }
    cr_assert(mkdir(in_folder(folder, "data"), 0777) == 0);
    put_text(in_folder(folder, "data/y_train.csv"), y);
    put_text(in_folder(folder, "data/block_id.csv"), block);
    put_text(in_folder(folder, "data/y_val.csv"), "1\n2\n3\n0.5\n1.5\n2.5\n");
}

Test(command_student_t, small_reference_without_expected_files)
{
    test_folder folder = make_folder();
    put_reference(&folder);
    cJSON *o = summary_of(
        &folder, "r/summary.json",
        succeeds(&folder, "experiment student-t --reference data --replications 1 --out r --json"));
    cr_expect(isfinite(json_value(o, "mle.mu")) && json_value(o, "mle.sigma") > 0);
    cr_expect_null(cJSON_GetObjectItem(o, "reference"));
    cJSON_Delete(o);
    remove_folder(&folder);
}

static void refuses_reference(const test_folder *folder, const char *file, const char *text,
                              const char *parts)
{
    put_reference(folder);
    put_text(in_folder(folder, file), text);
    refuses(folder, 2, parts, "experiment student-t --reference data");
    outcome o = script(folder, "rm -r data");
    outcome_free(&o);
}

Test(command_student_t, refuses_wrong_input)
{
    test_folder folder = make_folder();
    refuses(&folder, 2, "--reference nowhere: no such folder",
            "experiment student-t --reference nowhere");
    refuses_reference(&folder, "data/y_train.csv", "1\n\n2\n", "data/");
    refuses_reference(&folder, "data/y_train.csv", "1\nNA\n2\n", "data/y_train.csv:2: |'NA'");
    refuses_reference(&folder, "data/y_train.csv", "1,2\n3,4\n", "data/y_train.csv: 2 columns");
    refuses_reference(&folder, "data/y_val.csv", "nan\n", "data/y_val.csv:1");
    refuses_reference(&folder, "data/block_id.csv", "1\n2\n", "data/block_id.csv");
    refuses_reference(&folder, "data/expected_profile.csv", "nu,a,b,c,d,e,f,g\n1,2,3,4,5,6,7,8\n",
                      "data/expected_profile.csv: 1 rows");
    refuses_reference(&folder, "data/generator_training_pairs.csv", "1,2,3,4,5,6,7\n",
                      "data/generator_training_pairs.csv: 1 rows instead of 200");
    put_reference(&folder);
    outcome o = script(&folder, "yes 1 | head -32 > data/y_train.csv");
    outcome_free(&o);
    refuses(&folder, 2, "data/y_train.csv: all 32 values are equal",
            "experiment student-t --reference data");
    o = script(&folder, "rm data/y_val.csv");
    outcome_free(&o);
    refuses(&folder, 2, "data/y_val.csv", "experiment student-t --reference data");
    refuses(&folder, 2, "--audit is no option of experiment student-t",
            "experiment student-t --audit");
    remove_folder(&folder);
}
