/* A model whose response was sampled, with a weight for every observation, in every command. */
#include "support/program.h"
#include "support/samples.h"

#include <unistd.h>

static const char FIT[] = "fit --data images --target 64-4-3 --batch 64 --steps 60";

/* A folder with a model m.st of 6 drawn weight vectors. */
static test_folder model_folder(void)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    free(
        succeeds(&folder, "%s --posterior implicit --blocks n --response-draws 6 --out m.st", FIT));
    return folder;
}

static double info_value(const test_folder *folder, const char *file, const char *key)
{
    char *out = succeeds(folder, "info %s --json", file);
    cJSON *o = parse_json(out);
    double value = json_value(o, key);
    cJSON_Delete(o);
    free(out);
    return value;
}

Test(command_sampled, is_a_model_like_any_other)
{
    test_folder folder = model_folder();
    cr_expect_eq(info_value(&folder, "m.st", "response_draws"), 6);
    cr_expect_eq(info_value(&folder, "m.st", "blocks"), 200);
    char *info = succeeds(&folder, "info m.st");
    expect_holds(info, "dirichlet, 200 blocks, 6 drawn vectors of them");
    free(info);
    free(succeeds(&folder, "curve m.st --points 3 --draws 9"));
    free(succeeds(&folder, "tune m.st --points 3 --draws 4"));
    free(succeeds(&folder, "export m.st --lambda 1e-3 --out w.st"));
    free(succeeds(&folder, "report m.st --out page.html"));
    char *audit = succeeds(&folder, "audit m.st --points 2 --repeats 1 --draws 6 --cache none "
                                    "--lambda-points 1e-3");
    expect_holds(audit, "posterior: 6 draws of ω");
    expect_holds(audit, "first of the 6 weight vectors that the response is for");
    free(audit);
    remove_folder(&folder);
}

/* Draws of sample are the vectors in turn, whatever their number; what is polished begins there. */
Test(command_sampled, draws_begin_with_the_vectors)
{
    test_folder folder = model_folder();
    free(succeeds(&folder, "sample m.st --lambda 1e-3 --draws 4 --out few.npz"));
    free(succeeds(&folder, "sample m.st --lambda 1e-3 --draws 9 --seed 3 --out more.npz"));
    outcome o =
        script(&folder, "python3 - <<'END'\n"
                        "import ast, zipfile\n"
                        "def read(name, array):\n"
                        "    b = zipfile.ZipFile(name).read(array + '.npy')\n"
                        "    n = int.from_bytes(b[8:10], 'little')\n"
                        "    h = ast.literal_eval(b[10:10 + n].decode())\n"
                        "    return h['shape'], b[10 + n:]\n"
                        "for array in 'omega', 'theta':\n"
                        "    (shape, few), (longer, more) = read('few.npz', array), "
                        "read('more.npz', array)\n"
                        "    assert shape[0] == 4 and longer[0] == 9 and shape[1] == longer[1]\n"
                        "    assert more.startswith(few), array\n"
                        "    print(array, shape[1])\n"
                        "END\n");
    cr_expect_eq(o.code, 0, "%s", o.err);
    cr_expect_str_eq(o.out, "omega 200\ntheta 275\n");
    outcome_free(&o);
    free(succeeds(&folder, "polish m.st --lambda 1e-3 --draws 3 --steps 4 --out polished"));
    expect_tensor(&folder, "polished/draw_0003.safetensors", "fc1.weight", 4, 64);
    remove_folder(&folder);
}

Test(command_sampled, is_what_more_than_256_blocks_get)
{
    test_folder folder = make_folder();
    put_text(in_folder(&folder, "rows.csv"), "x,y\n");
    FILE *f = fopen(in_folder(&folder, "rows.csv"), "a");
    cr_assert_not_null(f);
    for (int i = 0; i < 400; i++)
        fprintf(f, "%d,%d.5\n", i % 17, i % 5);
    cr_assert_eq(fclose(f), 0);
    static const char ROWS[] = "fit --data rows.csv --target 1-2-1 --steps 20 --posterior implicit";
    free(succeeds(&folder, "%s --blocks n --out n.st", ROWS));
    free(succeeds(&folder, "%s --blocks 300 --out k.st", ROWS));
    free(succeeds(&folder, "%s --blocks 256 --out own.st", ROWS));
    cr_expect_eq(info_value(&folder, "n.st", "response_draws"), 64);
    cr_expect_eq(info_value(&folder, "k.st", "response_draws"), 64);
    cr_expect_eq(info_value(&folder, "own.st", "response_draws"), 0);
    remove_folder(&folder);
}

Test(command_sampled, is_what_the_experiment_can_have)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    free(succeeds(&folder, "experiment mnist --dataset images --blocks n --response-draws 5 "
                           "--epochs 3 --points 2 --draws 7 --audit --cache none --repeats 1 "
                           "--lambda-points 1e-3 --out out"));
    char *text = file_text(&folder, "out/summary.json");
    cJSON *o = parse_json(text);
    cr_expect_eq(json_value(o, "audit.draws"), 5);
    cr_expect_str_eq(json_item(o, "audit.posterior_weights")->valuestring, "those of the response");
    cr_expect_eq(info_value(&folder, "out/model.safetensors", "blocks"), 200);
    cJSON_Delete(o);
    free(text);
    remove_folder(&folder);
}

Test(command_sampled, refuses_what_has_no_answer)
{
    test_folder folder = model_folder();
    refuses(&folder, 2, "9 draws|6 drawn weight vectors|--draws 6|--response-draws 9",
            "audit m.st --draws 9 --cache none");
    refuses(&folder, 2, "7 draws|6 drawn weight vectors|--draws 6",
            "polish m.st --lambda 1e-3 --draws 7 --out p");
    refuses(&folder, 2, "--weights-seed|m.st|--draws",
            "polish m.st --lambda 1e-3 --weights-seed 4");
    refuses(&folder, 2, "--response-draws|--posterior implicit", "%s --response-draws 8", FIT);
    refuses(&folder, 2, "--response-draws|256", "%s --posterior implicit --response-draws 257",
            FIT);
    remove_folder(&folder);
}
