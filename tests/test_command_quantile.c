/* amortune experiment quantile: the results that scripts rely on, and what the generator is for. */
#include "support/program.h"

static void expect_tables(const char *out)
{
    static const char *const parts[] = {"variance–mean envelope", "interior point",
                                        "relative duality gap",   "crossing",
                                        "stated bound",           "written to here: summary.json"};
    for (int i = 0; i < 6; i++)
        expect_holds(out, parts[i]);
    expect_lacks(out, "nan");
}

Test(command_quantile, reports_and_keeps_its_bounds)
{
    test_folder folder = make_folder();
    char *out = succeeds(&folder, "experiment quantile --out here");
    char *text = file_text(&folder, "here/summary.json");
    cJSON *o = parse_json(text);
    expect_tables(out);
    expect_json_items(o, "lambda_selected lambda_selected_exact edge_alarm "
                         "generator.check.excess_mean generator.envelope.fidelity "
                         "generator.one_step.captured exact.seconds_per_solve curve.19.val_exact "
                         "curve.0.lambda seconds.total");
    cr_expect_eq(cJSON_GetArraySize(json_item(o, "curve")), 20);
    cr_expect_lt(json_value(o, "exact.gap_worst"), 1e-7);
    /* both ways of training are near the exact solves */
    cr_expect_lt(json_value(o, "generator.check.excess_mean"), 0.005);
    cr_expect_lt(json_value(o, "generator.envelope.excess_mean"), 0.005);
    cr_expect_lt(json_value(o, "generator.check.weighted_excess_mean"), 0.01);
    /* curves stay in order to the stated rate, exact solves one by one do not */
    cr_expect_eq(json_value(o, "crossing_bound"), 0.01);
    cr_expect(cJSON_IsTrue(json_item(o, "crossing_bound_kept")));
    cr_expect_gt(json_value(o, "exact.crossing_rate_chosen"), 0.05);
    /* the generator's curves are no further from the truth */
    cr_expect_lt(json_value(o, "generator.truth_rmse"), 1.05 * json_value(o, "exact.truth_rmse"));
    cJSON_Delete(o);
    free(text);
    free(out);
    expect_csv(&folder, "here/curve.csv", "lambda,val_exact,val_check,val_envelope", 20);
    expect_svg(&folder, "here/curve.svg");
    expect_svg(&folder, "here/quantiles.svg");
    refuses(&folder, 2, "--dataset is no option of experiment quantile",
            "experiment quantile --dataset mnist");
    remove_folder(&folder);
}
