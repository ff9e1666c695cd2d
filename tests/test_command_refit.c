/* amortune refit: penalties and bootstrap weights as they are typed. */
#include "support/program.h"
#include "support/samples.h"

#include <math.h>

/* Validation loss and network (NAME.st) of a refit with these options. */
static double refit(const test_folder *folder, const char *name, const char *options)
{
    char *out = succeeds(folder,
                         "refit --data sample --target 2-8-2 --steps 60 --lambda 1e-2 --json "
                         "--out %s.st %s",
                         name, options);
    cJSON *o = parse_json(out);
    double nll = json_value(o, "validation.nll");
    cJSON_Delete(o);
    free(out);
    return nll;
}

static test_folder sample_folder(void)
{
    test_folder folder = make_folder();
    put_classes(&folder, "sample");
    return folder;
}

Test(command_refit, draws_weights_from_the_distribution_that_is_named)
{
    test_folder folder = sample_folder();
    static const char *const options[] = {
        "",
        "--weights dirichlet",
        "--weights exponential",
        "--weights multinomial",
        "--weights fold",
        "--weights dirichlet --alpha 5",
        "--weights dirichlet --weights-seed 9",
        "--weights dirichlet --blocks 4",
    };
    double nll[8];
    for (int i = 0; i < 8; i++)
        nll[i] = refit(&folder, "net", options[i]);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < i; j++)
            cr_expect_neq(nll[i], nll[j], "'%s' and '%s' give the same", options[i], options[j]);
    remove_folder(&folder);
}

Test(command_refit, seeds_of_the_weights)
{
    test_folder folder = sample_folder();
    refit(&folder, "a", "--weights dirichlet --seed 7");
    refit(&folder, "b", "--weights dirichlet --seed 7 --weights-seed 7");
    refit(&folder, "c", "--weights-seed 7 --seed 7");
    refit(&folder, "d", "--weights-seed 8 --seed 7");
    refit(&folder, "e", "--seed 7");
    refit(&folder, "f", "--weights ones --weights-seed 7 --seed 7");
    cr_expect(same_files(&folder, "a.st", "b.st"), "--weights-seed stands for --seed");
    cr_expect(same_files(&folder, "a.st", "c.st"), "a seed alone asks for dirichlet");
    cr_expect_not(same_files(&folder, "c.st", "d.st"));
    cr_expect_not(same_files(&folder, "c.st", "e.st"));
    cr_expect(same_files(&folder, "e.st", "f.st"));
    remove_folder(&folder);
}

/* Σ_g λ‖θ_g‖² = λ‖θ‖² when all λ_g are the same. */
Test(command_refit, one_penalty_per_layer_is_the_same_penalty)
{
    test_folder folder = sample_folder();
    double scalar = refit(&folder, "a", ""), layer = refit(&folder, "b", "--penalty layer");
    cr_expect_float_eq(layer, scalar, 1e-5 * scalar);
    remove_folder(&folder);
}

Test(command_refit, the_penalty_shrinks)
{
    test_folder folder = sample_folder();
    char *small = succeeds(&folder, "refit --data sample --steps 200 --lambda 1e-6 --json");
    char *large =
        succeeds(&folder, "refit --data sample --steps 300 --rate 1e-2 --lambda 10 --json");
    cJSON *a = parse_json(small), *b = parse_json(large);
    cr_expect_lt(json_value(a, "validation.nll"), 0.5);
    cr_expect_float_eq(json_value(b, "validation.nll"), log(2.0), 0.02); /* θ ≈ 0 */
    cJSON_Delete(a);
    cJSON_Delete(b);
    free(small);
    free(large);
    remove_folder(&folder);
}
