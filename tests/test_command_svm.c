/* amortune experiment svm: the results that scripts rely on, on simulated data and on a small folder of
 * images, and data that no support vector machine can be fitted to. */
#include "support/program.h"
#include "support/samples.h"

static const char ITEMS[] =
    "data test_rows train columns validation_exact.lambda validation_generator.test_error "
    "ecme.lambda ecme_generator.lambda generator.hinge.excess_mean "
    "generator.augmentation.fidelity generator.one_step.captured exact.gap_worst "
    "curve.19.val_hinge curve.0.val_error_exact";

static void check_part(const cJSON *part)
{
    expect_json_items(part, ITEMS);
    cr_expect_lt(json_value(part, "exact.gap_worst"), 1e-7);
    double choice = json_value(part, "ecme_generator.lambda") / json_value(part, "ecme.lambda");
    cr_expect_float_eq(choice, 1, 0.3);
}

Test(command_svm, simulated_and_images)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    char *out = succeeds(&folder, "experiment svm --dataset images --json");
    char *text = file_text(&folder, "results/svm/summary.json");
    cJSON *o = parse_json(out), *written = parse_json(text);
    cr_expect(cJSON_Compare(o, written, true));
    const cJSON *simulated = json_item(o, "simulated"), *images = json_item(o, "images");
    check_part(simulated);
    check_part(images);
    cr_expect_str_eq(json_item(images, "data")->valuestring, "images, 0 against 1");
    cr_expect_eq(json_value(simulated, "train"), 500);
    cr_expect_lt(json_value(simulated, "generator.hinge.excess_mean"), 0.005);
    cr_expect_lt(json_value(simulated, "generator.augmentation.excess_mean"), 0.005);
    /* the classes overlap by construction: Bayes error 22 %, 5 % of it wrong labels */
    cr_expect_lt(json_value(simulated, "validation_generator.test_error"), 0.27);
    cr_expect_lt(json_value(images, "validation_generator.test_error"), 0.1);
    cJSON_Delete(o);
    cJSON_Delete(written);
    free(text);
    free(out);
    static const char head[] = "lambda,val_hinge_exact,val_error_exact,val_hinge,val_error";
    expect_csv(&folder, "results/svm/simulated.csv", head, 20);
    expect_csv(&folder, "results/svm/images.csv", head, 20);
    expect_svg(&folder, "results/svm/simulated.svg");
    expect_svg(&folder, "results/svm/images.svg");
    remove_folder(&folder);
}

/* Without --dataset and without MNIST: the simulated part, and a word about it. */
Test(command_svm, without_mnist)
{
    if (am_path_exists(AMORTUNE_ROOT "/datasets/mnist"))
        cr_skip_test("MNIST is in datasets/mnist");
    test_folder folder = make_folder();
    outcome o = amortune(&folder, "experiment svm --out here");
    cr_assert_eq(o.code, 0, "%s", o.err);
    expect_holds(o.err, "get it with: datasets/get mnist");
    expect_holds(o.out, "ECME along the generator");
    expect_holds(o.out, "written to here: summary.json, simulated.csv, simulated.svg\n");
    expect_lacks(o.out, "nan");
    cr_expect_not(am_path_exists(in_folder(&folder, "here/images.csv")));
    outcome_free(&o);
    refuses(&folder, 2, "mnist: this data set is not here", "experiment svm --dataset mnist");
    remove_folder(&folder);
}

/* A folder of IDX files with 6 × 6 images: `labels` in turn, pixels as given. */
static void put_square(const test_folder *folder, const char *name, int classes, bool constant)
{
    enum { ROWS = 120, SIZE = 36 };
    static uint8_t pixels[ROWS * SIZE], labels[ROWS];
    char path[64];
    const uint32_t extent[3] = {ROWS, 6, 6};
    for (int i = 0; i < ROWS; i++) {
        labels[i] = (uint8_t)(i % classes);
        for (int j = 0; j < SIZE; j++)
            pixels[i * SIZE + j] = (uint8_t)(constant ? 7 : (i * 31 + j * 17 + i * j) % 251);
    }
    outcome o = script(folder, "mkdir %s", name);
    outcome_free(&o);
    for (int s = 0; s < 2; s++) {
        (void)snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", name, s ? "t10k" : "train");
        put_idx(in_folder(folder, path), IDX_U8, 3, extent, pixels, sizeof pixels);
        (void)snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", name, s ? "t10k" : "train");
        put_idx(in_folder(folder, path), IDX_U8, 1, extent, labels, sizeof labels);
    }
}

Test(command_svm, refuses_what_cannot_be_separated)
{
    test_folder folder = make_folder();
    put_square(&folder, "single", 1, false);
    put_square(&folder, "flat", 2, true);
    put_numbers(&folder, "numbers.csv");
    refuses(&folder, 2, "class", "experiment svm --dataset single");
    refuses(&folder, 2, "constant", "experiment svm --dataset flat");
    refuses(&folder, 2, "numbers.csv: column 'y' holds|classes are integers or text",
            "experiment svm --dataset numbers.csv");
    refuses(&folder, 2, "nowhere: no such", "experiment svm --dataset nowhere");
    remove_folder(&folder);
}
