/* amortune experiment mnist on a small folder of images: the results that scripts rely on. */
#include "support/program.h"
#include "support/samples.h"

#include <signal.h>

static const char KEYS[] =
    "experiment protocol dataset device precision seed lambda_selected edge_alarm curve "
    "curve.0.lambda curve.0.val_nll curve.0.val_acc curve.3.lambda "
    "test.generator_acc test.generator_nll test.refit_acc test.refit_nll test.posterior_acc "
    "test.posterior_nll test.posterior_ece test.draw_acc_mean test.draw_acc_sd "
    "seconds.data seconds.fit seconds.curve seconds.posterior seconds.refit seconds.total "
    "ledger.break_even_refits audit";

static test_folder images_folder(void)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    return folder;
}

/* seconds.total covers its parts, and break-even is (fit + curve)/refit. */
static void check_costs(const cJSON *o)
{
    double fit = json_value(o, "seconds.fit"), curve = json_value(o, "seconds.curve");
    double refit = json_value(o, "seconds.refit"), total = json_value(o, "seconds.total");
    cr_expect(fit > 0 && curve > 0 && refit > 0);
    cr_expect_geq(total, fit + curve + refit);
    cr_expect_float_eq(json_value(o, "ledger.break_even_refits"), (fit + curve) / refit, 1e-6);
}

static void check_protocol(const char *protocol)
{
    test_folder folder = images_folder();
    char *out = succeeds(&folder,
                         "experiment mnist --dataset images --epochs 20 --points 4 "
                         "--draws 3 --refits 2 --seed 5 --json --protocol %s",
                         protocol);
    char *text = file_text(&folder, "results/mnist/summary.json");
    cJSON *o = parse_json(out), *written = parse_json(text);
    cr_expect(cJSON_Compare(o, written, true));
    expect_json_items(o, KEYS);
    cr_expect_str_eq(json_item(o, "experiment")->valuestring, "mnist");
    cr_expect_str_eq(json_item(o, "protocol")->valuestring, protocol);
    cr_expect_str_eq(json_item(o, "dataset")->valuestring, "images");
    cr_expect_eq(json_value(o, "seed"), 5);
    cr_expect_eq(cJSON_GetArraySize(json_item(o, "curve")), 4);
    double chosen = json_value(o, "lambda_selected");
    cr_expect(chosen >= 1e-5 && chosen <= 1e-1);
    cr_expect(cJSON_IsBool(json_item(o, "edge_alarm")));
    check_costs(o);
    cJSON_Delete(o);
    cJSON_Delete(written);
    free(text);
    free(out);

    expect_csv(&folder, "results/mnist/refits.csv",
               "lambda,val_nll,val_acc,criterion,generator_criterion", 4);
    char *curve = file_text(&folder, "results/mnist/curve.csv");
    cr_expect_eq(strncmp(curve, "lambda,val_nll,val_nll_se,val_acc", 33), 0);
    cr_expect_eq(lines_of(curve), 5);
    free(curve);
    expect_svg(&folder, "results/mnist/curve.svg");
    free(succeeds(&folder, "curve results/mnist/model.safetensors --points 2")); /* a usual model */
    remove_folder(&folder);
}

Test(command_experiment, default_protocol)
{
    check_protocol("default");
}

Test(command_experiment, paper_protocol)
{
    check_protocol("paper");
}

/* The table for people: results, the refits beside them, no word of published numbers for data that
 * are not MNIST. */
Test(command_experiment, prints_a_table)
{
    test_folder folder = images_folder();
    char *out = succeeds(&folder, "experiment mnist --dataset images --epochs 2 --points 3 "
                                  "--draws 2 --out here");
    static const char *const parts[] = {
        "lambda", "refit loss", "<- chosen", "chosen λ = ",
        "ledger", "break-even", "unaudited", "written to here: summary.json"};
    for (int i = 0; i < 8; i++)
        expect_holds(out, parts[i]);
    expect_lacks(out, "published");
    expect_lacks(out, "nan");
    free(out);
    remove_folder(&folder);
}

/* Everything but the seconds. */
Test(command_experiment, repeats)
{
    test_folder folder = images_folder();
    static const char words[] = "experiment mnist --dataset images --epochs 3 --points 3 --draws 2 "
                                "--out %s";
    for (int i = 0; i < 2; i++) {
        char *out = succeeds(&folder, words, i == 0 ? "a" : "b");
        free(out);
    }
    cr_expect(same_files(&folder, "a/model.safetensors", "b/model.safetensors"));
    cr_expect(same_files(&folder, "a/curve.csv", "b/curve.csv"));
    cr_expect(same_files(&folder, "a/refits.csv", "b/refits.csv"));
    remove_folder(&folder);
}

/* ---- which data
 * -------------------------------------------------------------------------------------- */

static bool mnist_is_here(void)
{
    return am_path_exists(AMORTUNE_ROOT "/datasets/mnist");
}

/* Runs without MNIST: an empty AMORTUNE_DATA hides whatever the machine has there. */
static outcome without_mnist(const test_folder *folder, const char *options)
{
    return script(folder,
                  "mkdir -p empty; AMORTUNE_DATA=$PWD/empty exec \"$AMORTUNE\" experiment "
                  "mnist --epochs 0.02 --points 2 --draws 0 --quiet %s",
                  options);
}

Test(command_experiment, falls_back_on_fashion_mnist_loudly)
{
    if (mnist_is_here())
        cr_skip_test("MNIST is in datasets/mnist");
    if (!am_path_exists("/usr/share/datasets/fashion-mnist"))
        cr_skip_test("the package dataset-fashion-mnist is not installed");
    test_folder folder = make_folder();
    outcome o = without_mnist(&folder, "--json");
    cr_assert_eq(o.code, 0, "%s", o.err);
    expect_holds(o.err, "WARNING: MNIST was not found");
    expect_holds(o.err, "FASHION-MNIST");
    cJSON *summary = parse_json(o.out);
    cr_expect_str_eq(json_item(summary, "dataset")->valuestring, "fashion-mnist");
    cJSON_Delete(summary);
    outcome_free(&o);
    remove_folder(&folder);
}

Test(command_experiment, mnist_by_name_is_never_replaced)
{
    if (mnist_is_here())
        cr_skip_test("MNIST is in datasets/mnist");
    test_folder folder = make_folder();
    outcome o = without_mnist(&folder, "--dataset mnist");
    cr_expect_eq(o.code, 2, "%d: %s", o.code, o.err);
    cr_expect_eq(lines_of(o.err), 1, "%s", o.err);
    expect_holds(o.err,
                 "amortune: mnist: this data set is not here; get it with: datasets/get mnist");
    cr_expect_not(am_path_exists(in_folder(&folder, "results/mnist/summary.json")));
    outcome_free(&o);
    remove_folder(&folder);
}

/* MNIST that is there but damaged is an error, no reason to take something else. */
Test(command_experiment, damaged_mnist_is_never_replaced)
{
    test_folder folder = make_folder();
    put_images(&folder, "mnist");
    put_text(in_folder(&folder, "mnist/train-labels-idx1-ubyte"), "junk");
    outcome o = script(&folder, "AMORTUNE_DATA=$PWD exec \"$AMORTUNE\" experiment mnist --quiet");
    cr_expect_eq(o.code, 2, "%d: %s", o.code, o.err);
    cr_expect_eq(lines_of(o.err), 1, "%s", o.err);
    expect_holds(o.err, "mnist/train-labels-idx1-ubyte: ");
    outcome_free(&o);
    remove_folder(&folder);
}

Test(command_experiment, refuses_what_it_is_not_for)
{
    test_folder folder = make_folder();
    put_numbers(&folder, "numbers.csv");
    refuses(&folder, 2, "nowhere: no such", "experiment mnist --dataset nowhere");
    refuses(&folder, 2, "--dataset numbers.csv: has no classes; give a folder of IDX files",
            "experiment mnist --dataset numbers.csv --epochs 1");
    refuses(&folder, 2, "--protocol own: no such choice; give default or paper",
            "experiment mnist --protocol own");
    remove_folder(&folder);
}

/* ---- stopping and going on
 * --------------------------------------------------------------------------- */

Test(command_experiment, goes_on_after_an_interrupt)
{
    static const char words[] =
        "experiment mnist --dataset images --epochs 400 --points 2 --draws 0 "
        "--checkpoint-seconds 0.001 --out";
    test_folder folder = images_folder();
    outcome o = {0};
    for (int i = 0; i < 20 && o.code == 0; i++) { /* again when it ended before the signal */
        outcome_free(&o);
        o = script(&folder, "rm -rf here");
        outcome_free(&o);
        o = signal_at_checkpoint(&folder, SIGINT, "here/model.safetensors.checkpoint", "%s here",
                                 words);
    }
    cr_expect_eq(o.code, 130, "%d: %s", o.code, o.err);
    expect_holds(o.err, "the same command with --resume goes on from "
                        "here/model.safetensors.checkpoint");
    cr_expect_not(am_path_exists(in_folder(&folder, "here/summary.json")));
    outcome_free(&o);
    free(succeeds(&folder, "%s here --resume", words));
    free(succeeds(&folder, "%s whole", words));
    char *text = file_text(&folder, "here/summary.json");
    cJSON *summary = parse_json(text);
    check_costs(summary); /* of the whole fit, not of what was left of it */
    cJSON_Delete(summary);
    free(text);
    cr_expect(same_files(&folder, "here/model.safetensors", "whole/model.safetensors"));
    cr_expect(same_files(&folder, "here/curve.csv", "whole/curve.csv"));
    remove_folder(&folder);
}
