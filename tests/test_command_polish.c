/* amortune polish: networks that need no generator, as they are asked for and as they are written. */
#include "support/program.h"
#include "support/samples.h"

#include "base/safetensors.h"

#include <math.h>

/* A folder with data and a model of 80 steps, which leaves something to do. */
static test_folder model_folder(const char *options)
{
    test_folder folder = make_folder();
    put_classes(&folder, "sample");
    free(succeeds(&folder, "fit --data sample --label kind --target 2-8-2 --steps 80 --out m.st %s",
                  options));
    return folder;
}

static cJSON *polish(const test_folder *folder, const char *options)
{
    char *out = succeeds(folder, "polish m.st --json %s", options);
    cJSON *o = parse_json(out);
    free(out);
    return o;
}

static void expect_network(const test_folder *folder, const char *name)
{
    expect_tensor(folder, name, "fc1.weight", 8, 2);
    expect_tensor(folder, name, "fc1.bias", 8, 0);
    expect_tensor(folder, name, "fc2.weight", 2, 8);
    expect_tensor(folder, name, "fc2.bias", 2, 0);
}

/* Full passes over the training rows only lower the criterion that they follow. */
Test(command_polish, lowers_the_criterion_and_writes_the_network)
{
    test_folder folder = model_folder("");
    cJSON *o = polish(&folder, "--lambda 1e-3 --steps 40 --rate 1e-2 --out net.st");
    cr_expect_eq(json_value(o, "lambda.0"), 1e-3);
    cr_expect(json_value(o, "steps") == 40 && json_value(o, "networks") == 1);
    cr_expect_eq(json_value(o, "refit_steps"), 80);
    cr_expect_lt(json_value(o, "after.criterion"), json_value(o, "before.criterion"));
    expect_json_items(o, "before.val_nll before.val_acc after.val_nll after.val_acc seconds rate");
    cr_expect_not(cJSON_HasObjectItem(o, "parity"));
    expect_network(&folder, "net.st");
    cJSON_Delete(o);
    remove_folder(&folder);
}

Test(command_polish, by_the_rule_and_at_the_chosen_penalty)
{
    test_folder folder = model_folder("");
    cJSON *o = polish(&folder, "");
    char *out = succeeds(&folder, "tune m.st --json");
    cJSON *choice = parse_json(out);
    cr_expect_eq(json_value(o, "lambda.0"), json_value(choice, "lambda.0"));
    cr_expect_eq(json_value(o, "steps"), 4); /* a twentieth of 80 */
    cr_expect_eq(json_value(o, "rate"), 1.5e-3);
    cr_expect_eq(json_value(o, "rows"), 133); /* all training rows: 160 less a sixth */
    cJSON_Delete(o);
    cJSON_Delete(choice);
    free(out);
    out = succeeds(&folder, "polish m.st");
    expect_holds(out, "1 network at λ = ");
    expect_holds(out, "generator");
    expect_holds(out, "polished");
    free(out);
    remove_folder(&folder);
}

/* No steps: what export writes, but for the word that says where it is from. */
Test(command_polish, without_steps_is_an_export)
{
    test_folder folder = model_folder("");
    cJSON_Delete(polish(&folder, "--lambda 1e-3 --steps 0 --out a.st"));
    free(succeeds(&folder, "export m.st --lambda 1e-3 --out b.st"));
    am_safetensors *a, *b;
    am_error err = {0};
    cr_assert_eq(am_safetensors_read(in_folder(&folder, "a.st"), &a, &err), AM_OK);
    cr_assert_eq(am_safetensors_read(in_folder(&folder, "b.st"), &b, &err), AM_OK);
    const am_tensor *x = am_safetensors_find(a, "fc1.weight"),
                    *y = am_safetensors_find(b, "fc1.weight");
    cr_expect_eq(memcmp(x->data, y->data, 16 * sizeof(float)), 0);
    cr_expect_str_eq(am_safetensors_meta(a, "source"), "polish");
    am_safetensors_free(a);
    am_safetensors_free(b);
    remove_folder(&folder);
}

/* Draws: one file each, the first that of the same seed alone; other seeds, other networks. */
Test(command_polish, draws_go_into_a_folder)
{
    test_folder folder = model_folder("--weights dirichlet --blocks 8");
    cJSON *o = polish(&folder, "--lambda 1e-3 --draws 3 --out nets");
    cr_expect_eq(json_value(o, "networks"), 3);
    expect_network(&folder, "nets/draw_0001.safetensors");
    expect_network(&folder, "nets/draw_0003.safetensors");
    expect_csv(&folder, "nets/polish.csv",
               "criterion_before,criterion_after,val_nll_before,val_nll_after,val_acc_before,"
               "val_acc_after",
               3);
    char *text = file_text(&folder, "nets/polish.json");
    cJSON *written = parse_json(text);
    cr_expect_eq(json_value(written, "after.criterion"), json_value(o, "after.criterion"));
    free(text);
    cJSON_Delete(written);
    cJSON_Delete(o);
    cJSON_Delete(polish(&folder, "--lambda 1e-3 --weights-seed 1 --out one.st"));
    cJSON_Delete(polish(&folder, "--lambda 1e-3 --weights-seed 2 --out two.st"));
    cr_expect(same_files(&folder, "nets/draw_0001.safetensors", "one.st"),
              "the model's own seed is 1");
    cr_expect_not(same_files(&folder, "nets/draw_0002.safetensors", "one.st"));
    cr_expect_not(same_files(&folder, "two.st", "one.st"));
    remove_folder(&folder);
}

/* Every network of every draw, in files of their own, the first those of the same seed alone. */
Test(command_polish, several_networks_go_into_a_folder)
{
    test_folder folder = model_folder("--networks 3");
    cJSON *o = polish(&folder, "--lambda 1e-3 --out nets");
    cr_expect(json_value(o, "networks") == 3 && json_value(o, "networks_of_a_draw") == 3);
    cr_expect_lt(json_value(o, "averaged.val_nll"), json_value(o, "after.val_nll") + 1e-12,
                 "the mean prediction loses no more than its parts do on average");
    expect_network(&folder, "nets/network_01.safetensors");
    expect_network(&folder, "nets/network_03.safetensors");
    cr_expect_not(
        same_files(&folder, "nets/network_01.safetensors", "nets/network_02.safetensors"));
    cJSON_Delete(o);
    o = polish(&folder, "--lambda 1e-3 --draws 2 --out draws");
    cr_expect_eq(json_value(o, "networks"), 6);
    expect_network(&folder, "draws/draw_0002_network_03.safetensors");
    cJSON_Delete(o);
    char *out = succeeds(&folder, "polish m.st --lambda 1e-3 --parity --repeats 1");
    expect_holds(out, "3 networks at λ = ");
    expect_holds(out, "averaged");
    free(out);
    remove_folder(&folder);
}

Test(command_polish, minibatches_may_be_given)
{
    test_folder folder = model_folder("");
    cJSON *o = polish(&folder, "--lambda 1e-3 --batch 16"),
          *all = polish(&folder, "--lambda 1e-3 --batch 100000");
    cr_expect_eq(json_value(o, "rows"), 16);
    cr_expect_eq(json_value(all, "rows"), 133, "no more than there are");
    cJSON_Delete(o);
    cJSON_Delete(all);
    remove_folder(&folder);
}

Test(command_polish, parity_is_held_against_refits)
{
    test_folder folder = model_folder("");
    cJSON *o = polish(&folder, "--lambda 1e-3 --parity --repeats 2 --draws 2");
    expect_json_items(o, "parity.steps parity.criterion_steps parity.nll_steps parity.share "
                         "parity.refit.criterion parity.points.0.row_share");
    cr_expect_eq(json_value(o, "parity.refits"), 2);
    cr_expect_gt(json_value(o, "parity.refit.criterion"), 0);
    cr_expect_eq(json_value(o, "parity.points.0.steps"), 0);
    cr_expect_float_eq(json_value(o, "parity.points.0.criterion"),
                       json_value(o, "before.criterion"), 1e-9);
    cJSON_Delete(o);
    char *out = succeeds(&folder, "polish m.st --lambda 1e-3 --parity --repeats 1");
    expect_holds(out, "parity with refits from scratch of 80 steps");
    expect_holds(out, "at least as good as the refits");
    free(out);
    remove_folder(&folder);
}

Test(command_polish, of_a_regression)
{
    test_folder folder = make_folder();
    put_numbers(&folder, "sample");
    free(succeeds(&folder, "fit --data sample --label y --target 2-8-1 --steps 80 --out m.st"));
    char *out = succeeds(&folder, "polish m.st --lambda 1e-3 --parity --repeats 1");
    expect_lacks(out, "nan");
    free(out);
    remove_folder(&folder);
}

Test(command_polish, refuses_before_it_works)
{
    test_folder folder = model_folder("");
    refuses(&folder, 2, "outside the range", "polish m.st --lambda 5");
    refuses(&folder, 2, "--steps -2|give a whole number", "polish m.st --steps -2");
    put_text(in_folder(&folder, "file"), "");
    refuses(&folder, 1, "file", "polish m.st --lambda 1e-3 --draws 2 --out file");
    refuses(&folder, 2, "nothing|no such", "polish nothing --lambda 1e-3");
    remove_folder(&folder);
}
