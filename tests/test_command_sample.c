/* amortune sample and tune: what they say of doubt: entropy, calibration, other data, and how sure the
 * choice of λ is. */
#include "support/program.h"
#include "support/samples.h"

#include <math.h>
#include <sys/stat.h>

/* Images of one grey value each: nothing like the samples. */
static void put_grey(const test_folder *folder, const char *name, int side)
{
    enum { ROWS = 30 };
    cr_assert_eq(mkdir(in_folder(folder, name), 0777), 0);
    size_t pixels = (size_t)(side * side);
    uint8_t *image = calloc(ROWS, pixels), label[ROWS] = {0, 1, 2};
    cr_assert_not_null(image);
    for (size_t i = 0; i < ROWS; i++)
        memset(image + i * pixels, (int)(100 + i), pixels);
    uint32_t extent[3] = {ROWS, (uint32_t)side, (uint32_t)side};
    char path[64];
    (void)snprintf(path, sizeof path, "%s/train-images-idx3-ubyte", name);
    put_idx(in_folder(folder, path), IDX_U8, 3, extent, image, ROWS * pixels);
    (void)snprintf(path, sizeof path, "%s/train-labels-idx1-ubyte", name);
    put_idx(in_folder(folder, path), IDX_U8, 1, extent, label, ROWS);
    free(image);
}

static test_folder image_folder(void)
{
    test_folder folder = make_folder();
    put_images(&folder, "sample");
    free(succeeds(&folder, "fit --data sample --target 64-8-3 --steps 200 --out m.st"));
    return folder;
}

Test(command_sample, says_how_sure_the_draws_are)
{
    test_folder folder = image_folder();
    char *out = succeeds(&folder, "sample m.st --lambda 1e-3 --draws 5 --out s --json");
    cJSON *o = parse_json(out);
    cr_expect_eq(json_value(o, "uncertainty.rows"), SAMPLE_TESTS);
    double entropy = json_value(o, "uncertainty.entropy");
    double expected = json_value(o, "uncertainty.expected_entropy");
    cr_expect(entropy > 0 && entropy < log(3.0));
    cr_expect_float_eq(json_value(o, "uncertainty.mutual_information"), entropy - expected, 1e-9);
    cr_expect_eq(cJSON_GetArraySize(json_item(o, "reliability")), 15);
    double rows = 0, ece = 0;
    for (int b = 0; b < 15; b++) {
        const cJSON *bin = cJSON_GetArrayItem(json_item(o, "reliability"), b);
        double n = json_value(bin, "rows");
        rows += n;
        if (n > 0) /* the bins are those of the calibration error */
            ece += n / SAMPLE_TESTS *
                   fabs(json_value(bin, "accuracy") - json_value(bin, "confidence"));
    }
    cr_expect_eq(rows, SAMPLE_TESTS);
    cr_expect_float_eq(ece, json_value(o, "predictive_mean.ece"), 1e-9);
    cr_expect_not(cJSON_HasObjectItem(o, "ood"));
    expect_csv(&folder, "s/reliability.csv", "low,high,rows,confidence,accuracy", 15);
    expect_csv(&folder, "s/uncertainty.csv",
               "confidence,entropy,expected_entropy,mutual_information", SAMPLE_TESTS);
    expect_svg(&folder, "s/reliability.svg");
    char *text = file_text(&folder, "s/sample.json");
    cJSON *written = parse_json(text);
    cr_expect(cJSON_Compare(o, written, true));
    cr_expect_not(am_path_exists(in_folder(&folder, "s/ood.svg")));
    cJSON_Delete(o);
    cJSON_Delete(written);
    free(text);
    free(out);
    remove_folder(&folder);
}

/* Rows that look like nothing in the data raise more doubt than the test rows; the very same data
 * cannot be told from themselves. */
Test(command_sample, other_data_are_told_apart)
{
    test_folder folder = image_folder();
    put_grey(&folder, "grey", SAMPLE_SIDE);
    char *out = succeeds(&folder, "sample m.st --lambda 1e-3 --draws 5 --ood grey --out s --json");
    cJSON *o = parse_json(out);
    cr_expect_str_eq(json_item(o, "ood.own.data")->valuestring, "sample");
    cr_expect_str_eq(json_item(o, "ood.own.part")->valuestring, "test");
    cr_expect_str_eq(json_item(o, "ood.ood.data")->valuestring, "grey");
    cr_expect_str_eq(json_item(o, "ood.ood.part")->valuestring, "all");
    cr_expect_eq(json_value(o, "ood.ood.uncertainty.rows"), 30);
    cr_expect_str_eq(json_item(o, "ood.positive")->valuestring, "ood");
    cr_expect_gt(json_value(o, "ood.scores.0.auroc"), 0.9);
    expect_json_items(o, "ood.scores.2.aupr_ood ood.scores.2.aupr_own ood.scores.2.fpr95");
    expect_svg(&folder, "s/ood.svg");
    expect_csv(&folder, "s/ood_uncertainty.csv",
               "confidence,entropy,expected_entropy,mutual_information", 30);
    char *text = file_text(&folder, "s/ood.csv");
    cr_expect_eq(lines_of(text), 4);
    expect_holds(text, "score,auroc,aupr_ood,aupr_own,fpr95,mean_own,mean_ood");
    cJSON_Delete(o);
    free(text);
    free(out);
    out = succeeds(&folder, "sample m.st --lambda 1e-3 --draws 5 --ood sample");
    expect_holds(out, "sample (test rows, 60) against the model's own sample (test rows, 60)");
    expect_holds(out, "0.5000");
    free(out);
    remove_folder(&folder);
}

Test(command_sample, other_data_must_be_of_the_same_inputs)
{
    test_folder folder = image_folder();
    put_grey(&folder, "small", 4);
    refuses(&folder, 2, "small|16 inputs a row, the model takes 64",
            "sample m.st --lambda 1e-3 --draws 2 --ood small");
    refuses(&folder, 2, "nowhere|no such", "sample m.st --lambda 1e-3 --draws 2 --ood nowhere");
    put_numbers(&folder, "numbers");
    free(succeeds(&folder, "fit --data numbers --label y --target 2-4-1 --steps 10 --out r.st"));
    refuses(&folder, 2, "regression|no predicted probabilities",
            "sample r.st --lambda 1e-3 --draws 2 --ood numbers");
    remove_folder(&folder);
}

/* CSV rows pass through the model's own column means: rows far from them are far for the network. */
Test(command_sample, other_rows_are_normalised_as_the_models)
{
    test_folder folder = make_folder();
    put_classes(&folder, "sample");
    free(succeeds(&folder, "fit --data sample --label kind --target 2-8-2 --steps 100 --out m.st"));
    put_text(in_folder(&folder, "far.csv"), "a,b,kind\n40,-40,red\n-40,40,blue\n41,-40,red\n-41,41,"
                                            "blue\n");
    char *out = succeeds(&folder, "sample m.st --lambda 1e-3 --draws 4 --ood far.csv --json");
    cJSON *o = parse_json(out);
    cr_expect_eq(json_value(o, "ood.ood.uncertainty.rows"), 4);
    /* normalised by themselves they would lie at ±1, where the classes meet */
    cr_expect_gt(json_value(o, "ood.ood.uncertainty.confidence"), 0.99);
    cJSON_Delete(o);
    free(out);
    remove_folder(&folder);
}

/* ---- tune ------------------------------------------------------------------------------------ */

Test(command_tune, says_how_sure_the_choice_is)
{
    test_folder folder = make_folder();
    put_classes(&folder, "sample");
    free(succeeds(&folder,
                  "fit --data sample --target 2-8-2 --steps 60 --weights dirichlet --out m.st"));
    char *out = succeeds(&folder, "tune m.st --points 6 --draws 10 --out t --json");
    cJSON *o = parse_json(out);
    double share[6], below = 0, median = json_value(o, "best_median");
    cr_expect_eq(json_value(o, "draws"), 10);
    cr_expect(json_value(o, "best_p05") <= median && median <= json_value(o, "best_p95"));
    cr_expect_geq(json_value(o, "one_se_lambda.0"), json_value(o, "lambda.0"));
    for (int i = 0; i < 6; i++) {
        share[i] = cJSON_GetArrayItem(json_item(o, "best_over_draws"), i)->valuedouble;
        double lambda = 1e-5 * pow(10, 0.8 * i);
        below += lambda < median * 0.999 ? share[i] : 0;
    }
    cr_expect_lt(below, 0.5);
    cr_expect_float_eq(json_value(o, "best_at_edges"), share[0] + share[5], 1e-12);
    expect_csv(&folder, "t/choice.csv", "lambda,share_best,val_nll,val_nll_se,val_acc", 6);
    expect_svg(&folder, "t/choice.svg");
    char *text = file_text(&folder, "t/choice.json");
    cJSON *written = parse_json(text);
    cr_expect(cJSON_Compare(o, written, true));
    cJSON_Delete(o);
    cJSON_Delete(written);
    free(text);
    free(out);
    out = succeeds(&folder, "tune m.st --draws 10");
    expect_holds(out, "best λ over 10 draws of the weights");
    expect_holds(out, "median");
    free(out);
    out = succeeds(&folder, "tune m.st --draws 0");
    expect_lacks(out, "best λ over");
    free(out);
    remove_folder(&folder);
}

/* Whoever lets the program choose hears of its doubts. */
Test(command_tune, alarms_are_heard_wherever_a_penalty_is_chosen)
{
    test_folder folder = make_folder();
    put_classes(&folder, "sample");
    /* over so narrow a range nothing differs */
    free(succeeds(&folder,
                  "fit --data sample --target 2-4-2 --steps 20 --lambda 1e-5:1.1e-5 --out m.st"));
    static const char *const words[] = {"tune m.st", "sample m.st --draws 2",
                                        "export m.st --out w.st", "polish m.st"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        outcome o = amortune(&folder, "%s", words[i]);
        cr_expect_eq(o.code, 0, "%s", o.err);
        bool heard = strstr(o.err, "EDGE") || strstr(o.err, "FLAT") || strstr(o.out, "EDGE") ||
                     strstr(o.out, "FLAT");
        cr_expect(heard, "%s: %s%s", words[i], o.out, o.err);
        outcome_free(&o);
    }
    remove_folder(&folder);
}
