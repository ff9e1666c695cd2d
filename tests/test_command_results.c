/* The commands one after the other, as a user types them: what they print and what they write. */
#include "support/program.h"
#include "support/samples.h"

#include "base/safetensors.h"

/* One kind of data and what is expected of models of it. */
typedef struct {
    void (*put)(const test_folder *folder, const char *name);
    const char *data, *target; /* options */
    int inputs, outputs;
    bool classes, tests; /* it has classes, test rows */
} kind_of_data;

static const kind_of_data IMAGES = {.put = put_images,
                                    .data = "--data sample",
                                    .inputs = 64,
                                    .outputs = 3,
                                    .target = "--target 64-8-3",
                                    .classes = true,
                                    .tests = true};
static const kind_of_data CLASSES = {.put = put_classes,
                                     .data = "--data sample --label kind",
                                     .inputs = 2,
                                     .outputs = 2,
                                     .target = "--target 2-8-2",
                                     .classes = true};
static const kind_of_data NUMBERS = {.put = put_numbers,
                                     .data = "--data sample --label y",
                                     .inputs = 2,
                                     .outputs = 1,
                                     .target = "--target 2-8-1"};

static test_folder folder_of(const kind_of_data *kind)
{
    test_folder folder = make_folder();
    kind->put(&folder, "sample");
    return folder;
}

/* null for what regression does not have */
static void expect_rate(const cJSON *root, const char *path, bool classes)
{
    const cJSON *item = json_item(root, path);
    if (classes)
        cr_expect(cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= 1, "%s",
                  path);
    else
        cr_expect(cJSON_IsNull(item), "%s", path);
}

static void check_fit(const test_folder *folder, const kind_of_data *kind)
{
    char *out = succeeds(folder, "fit %s %s --features cheb:6 --steps 80 --out m.st --json",
                         kind->data, kind->target);
    cJSON *o = parse_json(out);
    cr_expect_str_eq(json_item(o, "model")->valuestring, "m.st");
    cr_expect_eq(json_value(o, "steps"), 80);
    cr_expect(json_value(o, "loss") > 0 && json_value(o, "seconds") >= 0);
    int64_t params = kind->inputs * 8 + 8 + 8 * kind->outputs + kind->outputs;
    expect_tensor(folder, "m.st", "head", 7, params); /* T_0..T_6 */
    cr_expect_not(am_path_exists(in_folder(folder, "m.st.checkpoint")));
    cJSON_Delete(o);
    free(out);
}

static void check_curve(const test_folder *folder, const kind_of_data *kind)
{
    char *out = succeeds(folder, "curve m.st --points 4 --out curve --json");
    cJSON *o = parse_json(out);
    cr_expect_eq(cJSON_GetArraySize(o), 4);
    cr_expect_eq(json_value(o, "0.lambda"), 1e-5);
    cr_expect_eq(json_value(o, "3.lambda"), 1e-1);
    cr_expect(json_value(o, "2.val_nll") > 0 && json_value(o, "2.val_nll_se") > 0);
    expect_rate(o, "2.val_acc", kind->classes);
    expect_csv(folder, "curve/curve.csv", "lambda,val_nll,val_nll_se,val_acc,val_brier,val_ece", 4);
    expect_svg(folder, "curve/curve.svg");
    char *text = file_text(folder, "curve/curve.json");
    cJSON *written = parse_json(text);
    cr_expect(cJSON_Compare(o, written, true));
    cJSON_Delete(o);
    cJSON_Delete(written);
    free(text);
    free(out);
    out = succeeds(folder, "curve m.st --points 4");
    cr_expect_eq(lines_of(out), 6); /* header, rule, points */
    expect_holds(out, "lambda");
    expect_holds(out, "val loss");
    free(out);
}

static void check_tune(const test_folder *folder, bool classes)
{
    static const char *const rules[] = {"grid", "one-se", "gradient"};
    for (int i = 0; i < 3; i++) {
        char *out = succeeds(folder, "tune m.st --select %s --out choice.json --json", rules[i]);
        char *text = file_text(folder, "choice.json");
        cJSON *o = parse_json(out), *written = parse_json(text);
        cr_expect(cJSON_Compare(o, written, true), "%s differs from %s", text, out);
        double lambda = json_value(o, "lambda.0");
        cr_expect(lambda >= 1e-5 && lambda <= 1e-1, "λ = %g", lambda);
        cr_expect_str_eq(json_item(o, "rule")->valuestring, rules[i]);
        expect_json_items(o, "value derivative edge_alarm flat_alarm metric best_over_draws");
        cJSON_Delete(o);
        cJSON_Delete(written);
        free(text);
        free(out);
    }
    char *out = succeeds(folder, "tune m.st");
    expect_holds(out, "chosen λ = ");
    expect_holds(out, "(grid by validation loss, value ");
    free(out);
    if (classes) { /* the gradient is that of the loss */
        out = succeeds(folder, "tune m.st --metric accuracy --select gradient");
        expect_holds(out, "(gradient by validation loss, value ");
        free(out);
        out = succeeds(folder, "tune m.st --metric accuracy --select one-se");
        expect_holds(out, "(one-se by validation accuracy, value ");
        free(out);
    }
}

static void check_sample(const test_folder *folder, const kind_of_data *kind)
{
    char *out = succeeds(folder, "sample m.st --lambda 1e-3 --draws 4 --out draws --json");
    cJSON *o = parse_json(out);
    cr_expect_eq(json_value(o, "lambda.0"), 1e-3);
    cr_expect_eq(json_value(o, "draws"), 4);
    cr_expect(cJSON_IsFalse(json_item(o, "audited")));
    cr_expect_str_eq(json_item(o, "method")->valuestring, "short weighted refits");
    cr_expect_gt(json_value(o, "draw_nll_mean"), 0);
    expect_rate(o, "draw_acc_mean", kind->classes);
    expect_rate(o, "predictive_mean.accuracy", kind->classes);
    expect_rate(o, "predictive_mean.ece", kind->classes);
    cr_expect_eq(cJSON_IsNull(json_item(o, "predictive_mean.nll")), !kind->classes);
    expect_csv(folder, "draws/draws.csv", "nll,accuracy", 4);
    cJSON_Delete(o);
    free(out);
    out = succeeds(folder, "sample m.st --draws 4");
    expect_holds(out, kind->tests ? "on the test rows" : "on the validation rows");
    expect_holds(out, "unaudited");
    expect_lacks(out, "nan");
    free(out);
}

static void expect_network(const test_folder *folder, const char *name, const kind_of_data *kind)
{
    expect_tensor(folder, name, "fc1.weight", 8, kind->inputs);
    expect_tensor(folder, name, "fc1.bias", 8, 0);
    expect_tensor(folder, name, "fc2.weight", kind->outputs, 8);
    expect_tensor(folder, name, "fc2.bias", kind->outputs, 0);
}

static void check_refit(const test_folder *folder, const kind_of_data *kind)
{
    char *out = succeeds(folder, "refit %s %s --lambda 1e-3 --steps 60 --out net.st --json",
                         kind->data, kind->target);
    cJSON *o = parse_json(out);
    cr_expect_eq(json_value(o, "lambda"), 1e-3);
    cr_expect_geq(json_value(o, "seconds"), 0);
    cr_expect_gt(json_value(o, "validation.nll"), 0);
    expect_rate(o, "validation.accuracy", kind->classes);
    cr_expect_eq(cJSON_HasObjectItem(o, "test"), kind->tests);
    expect_network(folder, "net.st", kind);
    cJSON_Delete(o);
    free(out);
    out = succeeds(folder, "refit %s %s --lambda 1e-3 --steps 10", kind->data, kind->target);
    expect_holds(out, "validation");
    expect_lacks(out, "nan");
    free(out);
}

static void check_export(const test_folder *folder, const kind_of_data *kind)
{
    char *out = succeeds(folder, "export m.st --lambda 1e-3 --out net2.st --json");
    cJSON *o = parse_json(out);
    cr_expect_str_eq(json_item(o, "weights")->valuestring, "net2.st");
    cr_expect_eq(json_value(o, "lambda.0"), 1e-3);
    expect_network(folder, "net2.st", kind);
    cJSON_Delete(o);
    free(out);
    out = succeeds(folder, "export m.st --out net3.st"); /* at the λ of tune */
    expect_holds(out, "net3.st: weights at λ = ");
    expect_network(folder, "net3.st", kind);
    free(out);
}

static void check_info(const test_folder *folder, const kind_of_data *kind)
{
    char *out = succeeds(folder, "info m.st --json --out info.json");
    char *text = file_text(folder, "info.json");
    cJSON *o = parse_json(out), *written = parse_json(text);
    cr_expect(cJSON_Compare(o, written, true));
    expect_json_items(o, "path activation features init penalty weights blocks descent plan draws "
                         "batch rate schedule data_name data_source data_rows version params");
    cr_expect_str_eq(json_item(o, "target")->valuestring, strrchr(kind->target, ' ') + 1);
    cr_expect_str_eq(json_item(o, "loss")->valuestring,
                     kind->classes ? "cross-entropy" : "squared");
    cr_expect(json_value(o, "step") == 80 && json_value(o, "steps") == 80);
    cr_expect(json_value(o, "seed") == 1 && json_value(o, "lambda_low") == 1e-5);
    cJSON_Delete(o);
    cJSON_Delete(written);
    free(text);
    free(out);
    out = succeeds(folder, "info m.st");
    expect_holds(out, "m.st: model, step 80 of 80");
    expect_holds(out, "head");
    free(out);
}

static void check_all(const kind_of_data *kind)
{
    test_folder folder = folder_of(kind);
    check_fit(&folder, kind);
    check_curve(&folder, kind);
    check_tune(&folder, kind->classes);
    check_sample(&folder, kind);
    check_refit(&folder, kind);
    check_export(&folder, kind);
    check_info(&folder, kind);
    remove_folder(&folder);
}

Test(command_results, on_images)
{
    check_all(&IMAGES);
}

Test(command_results, on_a_table_of_classes)
{
    check_all(&CLASSES);
}

Test(command_results, on_a_table_of_numbers)
{
    check_all(&NUMBERS);
}

/* ---- what the results are worth ----------------------------------------------------------------
 */

/* The samples are easy: a generator and a refit that work at all get them right. */
Test(command_results, models_learn)
{
    test_folder folder = folder_of(&IMAGES);
    free(succeeds(&folder, "fit --data sample --target 64-8-3 --steps 300 --lambda 1e-5:1e-2"));
    char *out = succeeds(&folder, "curve model.safetensors --points 3 --json");
    cJSON *o = parse_json(out);
    for (int i = 0; i < 3; i++)
        cr_expect_geq(json_value(cJSON_GetArrayItem(o, i), "val_acc"), 0.95);
    cJSON_Delete(o);
    free(out);
    out = succeeds(&folder, "refit --data sample --target 64-8-3 --steps 300 --lambda 1e-4 --json");
    o = parse_json(out);
    cr_expect_geq(json_value(o, "test.accuracy"), 0.95);
    cJSON_Delete(o);
    free(out);
    remove_folder(&folder);
}

/* The posterior band and draws come from the generator once it sees ω. */
Test(command_results, weights_give_a_band)
{
    test_folder folder = folder_of(&CLASSES);
    free(succeeds(&folder, "fit --data sample --target 2-8-2 --steps 60 --weights dirichlet"));
    char *out = succeeds(&folder, "curve model.safetensors --points 3 --draws 8 --out . --json");
    cJSON *o = parse_json(out);
    cr_expect_leq(json_value(o, "1.val_nll_p05"), json_value(o, "1.val_nll_p95"));
    expect_csv(&folder, "curve.csv",
               "lambda,val_nll,val_nll_se,val_acc,val_brier,val_ece,val_nll_p05,val_nll_p95,"
               "val_acc_p05,val_acc_p95",
               3);
    expect_svg(&folder, "curve.svg");
    cJSON_Delete(o);
    free(out);
    out = succeeds(&folder, "sample model.safetensors --draws 5 --json");
    o = parse_json(out);
    cr_expect_str_eq(json_item(o, "method")->valuestring, "generator");
    cJSON_Delete(o);
    free(out);
    out = succeeds(&folder, "tune model.safetensors --points 5 --json");
    o = parse_json(out);
    double sum = 0;
    for (int i = 0; i < 5; i++)
        sum += cJSON_GetArrayItem(json_item(o, "best_over_draws"), i)->valuedouble;
    cr_expect_float_eq(sum, 1.0, 1e-12);
    cJSON_Delete(o);
    free(out);
    remove_folder(&folder);
}

/* One λ per layer: the choice has two, each within the range, and can be used again. */
Test(command_results, one_penalty_per_layer)
{
    test_folder folder = folder_of(&CLASSES);
    free(succeeds(&folder, "fit --data sample --target 2-8-2 --steps 60 --penalty layer"));
    char *out = succeeds(&folder, "tune model.safetensors --select gradient --json");
    cJSON *o = parse_json(out);
    cr_expect_eq(cJSON_GetArraySize(json_item(o, "lambda")), 2);
    for (int i = 0; i < 2; i++) {
        double lambda = cJSON_GetArrayItem(json_item(o, "lambda"), i)->valuedouble;
        cr_expect(lambda >= 1e-5 && lambda <= 1e-1, "λ = %.17g", lambda);
    }
    cJSON_Delete(o);
    free(out);
    out = succeeds(&folder, "sample model.safetensors --draws 3 --lambda 1e-2");
    expect_holds(out, "λ = 1.0000e-02, 1.0000e-02");
    free(out);
    remove_folder(&folder);
}

Test(command_results, options_from_a_file)
{
    test_folder folder = folder_of(&CLASSES);
    put_text(in_folder(&folder, "run.json"),
             "{\"data\": \"sample\", \"target\": \"2-8-2\", \"steps\": 7, \"seed\": 3}");
    free(succeeds(&folder, "fit --config run.json --seed 4"));
    char *out = succeeds(&folder, "info model.safetensors --json");
    cJSON *o = parse_json(out);
    cr_expect(json_value(o, "steps") == 7 && json_value(o, "seed") == 4);
    cJSON_Delete(o);
    free(out);
    remove_folder(&folder);
}

/* A model finds its data by --data when they have moved, and takes test rows. */
Test(command_results, data_that_moved)
{
    test_folder folder = folder_of(&CLASSES);
    free(succeeds(&folder, "fit --data sample --target 2-8-2 --steps 20"));
    char *before = succeeds(&folder, "curve model.safetensors --points 2 --json");
    cr_assert_eq(rename(in_folder(&folder, "sample"), in_folder(&folder, "moved.csv")), 0);
    refuses(&folder, 2, "sample|no such", "curve model.safetensors");
    char *after = succeeds(&folder, "curve model.safetensors --points 2 --json --data moved.csv");
    cr_expect_str_eq(before, after);
    put_classes(&folder, "test.csv");
    char *out = succeeds(&folder, "sample model.safetensors --data moved.csv --test test.csv "
                                  "--draws 2 --lambda 1e-3");
    expect_holds(out, "on the test rows");
    free(out);
    free(before);
    free(after);
    remove_folder(&folder);
}
