/* amortune report, and the page that experiments write. */
#include "report/html.h"
#include "support/program.h"
#include "support/samples.h"

#include "base/safetensors.h"

static test_folder fitted(const char *options)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    free(succeeds(&folder, "fit --data images --target 64-8-3 --steps 60 --out m.st %s", options));
    return folder;
}

static void need_chart_library(void)
{
    if (!html_available())
        cr_skip_test("built without the chart library");
}

/* The page's data element, parsed. */
static cJSON *explorer_of(const test_folder *folder, const char *name)
{
    static const char begin[] = "<script type=\"application/json\" id=\"data\">";
    char *text = file_text(folder, name);
    const char *at = strstr(text, begin);
    cr_assert_not_null(at, "%s has no data", name);
    at += sizeof begin - 1;
    cJSON *data = cJSON_ParseWithLength(at, (size_t)(strstr(at, "</script>") - at));
    cr_assert_not_null(data, "%s: its data are no JSON", name);
    cJSON *explorer = cJSON_DetachItemFromObject(data, "explorer");
    cJSON_Delete(data);
    free(text);
    return explorer;
}

Test(command_report, of_a_model_has_the_program_s_curve)
{
    need_chart_library();
    test_folder folder = fitted("--posterior implicit --blocks 4");
    free(succeeds(&folder, "report m.st --out r.html"));
    cJSON *o = explorer_of(&folder, "r.html");
    char *out = succeeds(&folder, "curve m.st --json");
    cJSON *curve = parse_json(out);
    cr_expect_eq(cJSON_GetArraySize(json_item(o, "lambda")), 96);
    for (int i = 0; i < 20; i++) {
        char path[2][32];
        (void)snprintf(path[0], sizeof path[0], "nll.%d", 5 * i);
        (void)snprintf(path[1], sizeof path[1], "%d.val_nll", i);
        cr_expect_float_eq(json_value(o, path[0]), json_value(curve, path[1]), 1e-6);
        (void)snprintf(path[0], sizeof path[0], "curve.acc_high.%d", i);
        (void)snprintf(path[1], sizeof path[1], "%d.val_acc_p95", i);
        cr_expect_float_eq(json_value(o, path[0]), json_value(curve, path[1]), 1e-9);
    }
    expect_json_items(o, "generator.sizes generator.nodes gallery.row gallery.label confusion.0.8 "
                         "bins.0.44 posterior_bins selection.share chosen one_se class_names.2 "
                         "image.rows");
    cJSON_Delete(o);
    cJSON_Delete(curve);
    free(out);
    remove_folder(&folder);
}

Test(command_report, candidates_are_the_program_s_own_logits)
{
    need_chart_library();
    test_folder folder = fitted("--posterior implicit --blocks 4");
    free(succeeds(&folder, "report m.st --out r.html --candidates c.st"));
    am_safetensors *file;
    am_error err = {0};
    cr_assert_eq(am_safetensors_read(in_folder(&folder, "c.st"), &file, &err), AM_OK, "%s",
                 err.message);
    const am_tensor *logits = am_safetensors_find(file, "logits");
    const am_tensor *drawn = am_safetensors_find(file, "draw_logits");
    cr_assert(logits != NULL && drawn != NULL);
    cr_expect(logits->shape[0] == 5 && logits->shape[1] == SAMPLE_TESTS && logits->shape[2] == 3);
    cr_expect(drawn->shape[0] == 5 && drawn->shape[1] == 50 && drawn->shape[3] == 3);
    cr_expect_not_null(am_safetensors_find(file, "bytes"));
    am_safetensors_free(file);
    remove_folder(&folder);
}

Test(command_report, other_models_carry_predictions_computed_before)
{
    need_chart_library();
    test_folder folder = fitted("--features split:8,4 --weights dirichlet --blocks 4");
    free(succeeds(&folder, "report m.st --out r.html"));
    cJSON *o = explorer_of(&folder, "r.html");
    cr_expect_null(cJSON_GetObjectItem(o, "generator"));
    cr_expect_eq(cJSON_GetArraySize(json_item(o, "gallery.lambda")), 20);
    cr_expect_eq(json_value(o, "gallery.draws"), 50);
    cr_expect_eq(json_value(o, "weights.units"), 8);
    char *text = file_text(&folder, "r.html");
    expect_holds(text, "id=\"array-draws\"");
    free(text);
    cJSON_Delete(o);
    refuses(&folder, 2, "--candidates c.st|evaluates no generator",
            "report m.st --out r.html --candidates c.st");
    remove_folder(&folder);
}

Test(command_report, regression_has_a_curve_and_no_classes)
{
    need_chart_library();
    test_folder folder = make_folder();
    put_numbers(&folder, "n.csv");
    free(succeeds(&folder, "fit --data n.csv --label y --steps 60 --out m.st"));
    free(succeeds(&folder, "report m.st --out r.html"));
    cJSON *o = explorer_of(&folder, "r.html");
    expect_json_items(o, "lambda.95 nll.95 generator.sizes");
    for (size_t i = 0; i < 4; i++) {
        static const char *const absent[] = {"acc", "confusion", "gallery", "bins"};
        cr_expect_null(cJSON_GetObjectItem(o, absent[i]), "%s", absent[i]);
    }
    cJSON_Delete(o);
    remove_folder(&folder);
}

Test(command_report, without_the_data_says_so_and_shows_the_curve)
{
    need_chart_library();
    test_folder folder = make_folder();
    put_images(&folder, "images");
    free(succeeds(&folder,
                  "experiment mnist --dataset images --epochs 2 --points 4 --draws 4 --out r"));
    outcome o = script(&folder, "mv images elsewhere; \"$AMORTUNE\" report r --out p.html");
    cr_expect_eq(o.code, 0, "%s", o.err);
    outcome_free(&o);
    char *text = file_text(&folder, "p.html");
    expect_holds(text, "The data of the model are not here");
    cJSON *e = explorer_of(&folder, "p.html");
    cr_expect_eq(cJSON_GetArraySize(json_item(e, "lambda")), 4);
    cr_expect_null(cJSON_GetObjectItem(e, "gallery"));
    cJSON_Delete(e);
    free(text);
    free(succeeds(&folder, "report r --data elsewhere --out p.html"));
    e = explorer_of(&folder, "p.html");
    expect_json_items(e, "gallery.row confusion refits.nll history.step");
    cJSON_Delete(e);
    remove_folder(&folder);
}

Test(command_report, claims_no_more_of_a_curve_than_it_knows)
{
    need_chart_library();
    test_folder folder = fitted("");
    free(succeeds(&folder, "curve m.st --out c"));
    free(succeeds(&folder, "report c --out p.html"));
    char *text = file_text(&folder, "p.html");
    expect_holds(text, "λ of the least validation loss");
    expect_lacks(text, "The choice lies inside the range");
    expect_lacks(text, "The curve tells good λ from bad");
    free(text);
    free(succeeds(&folder, "tune m.st --out c"));
    free(succeeds(&folder, "report c --out p.html"));
    text = file_text(&folder, "p.html");
    expect_holds(text, "chosen λ");
    expect_holds(text, "one-SE λ");
    expect_lacks(text, "least validation loss");
    free(text);
    remove_folder(&folder);
}

Test(command_report, experiments_write_it_with_the_command_that_repeats_them)
{
    need_chart_library();
    test_folder folder = make_folder();
    free(succeeds(&folder,
                  "experiment double-descent --replications 2 --seed 3 --out 'my results'"));
    char *run = file_text(&folder, "my results/run.json");
    cJSON *o = parse_json(run);
    cr_expect_str_eq(json_item(o, "command")->valuestring,
                     "amortune experiment double-descent --replications 2 --out 'my results' "
                     "--seed 3");
    expect_json_items(o, "settings.seed environment.system environment.amortune");
    char *text = file_text(&folder, "my results/report.html");
    expect_holds(text, "experiment double-descent");
    expect_holds(text, "data:image/svg+xml;base64,");
    expect_holds(text, "--out &#39;my results&#39; --seed 3");
    cJSON_Delete(o);
    free(text);
    free(run);
    remove_folder(&folder);
}

/* ---- bad input --------------------------------------------------------------------------------- */

Test(command_report, names_what_is_missing_or_broken)
{
    need_chart_library();
    test_folder folder = make_folder();
    refuses(&folder, 2, "nowhere|no such folder or file", "report nowhere --out p.html");
    cr_assert_eq(am_make_folders(in_folder(&folder, "empty"), &(am_error){0}), AM_OK);
    refuses(&folder, 2, "empty|holds no results", "report empty --out p.html");
    cr_assert_eq(am_make_folders(in_folder(&folder, "cut"), &(am_error){0}), AM_OK);
    put_text(in_folder(&folder, "cut/summary.json"), "{\"experiment\": \"mni");
    refuses(&folder, 2, "cut/summary.json|JSON", "report cut --out p.html");
    put_text(in_folder(&folder, "cut/summary.json"), "{\"experiment\": \"mnist\"}");
    put_text(in_folder(&folder, "cut/model.safetensors"), "no model");
    refuses(&folder, 2, "cut/model.safetensors", "report cut --out p.html");
    refuses(&folder, 2, "report|RESULTS", "report --out p.html");
    cr_expect_not(am_path_exists(in_folder(&folder, "p.html")));
    remove_folder(&folder);
}

Test(command_report, refuses_the_model_of_another_run)
{
    need_chart_library();
    test_folder folder = fitted("");
    outcome o = script(&folder, "mkdir r; cp m.st r/model.safetensors");
    outcome_free(&o);
    put_text(in_folder(&folder, "r/summary.json"), "{\"experiment\":\"mnist\",\"seed\":9}");
    refuses(&folder, 2, "r/model.safetensors|seed 1|seed 9", "report r --out p.html");
    put_text(in_folder(&folder, "r/summary.json"), "{\"seed\":1,\"dataset\":\"cifar\"}");
    refuses(&folder, 2, "r/model.safetensors|images|cifar", "report r --out p.html");
    put_text(
        in_folder(&folder, "r/summary.json"),
        "{\"seed\":1,\"curve\":[{\"lambda\":1e-9,\"val_nll\":1},{\"lambda\":1,\"val_nll\":2}]}");
    refuses(&folder, 2, "r/model.safetensors|1e-09", "report r --out p.html");
    remove_folder(&folder);
}
