/* The same command gives the same bytes. */
#include "support/program.h"
#include "support/samples.h"

static test_folder sample_folder(void)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    return folder;
}

static void fit(const test_folder *folder, const char *name, const char *options)
{
    free(succeeds(folder, "fit --data images --target 64-8-3 --steps 30 --out %s %s", name,
                  options));
}

/* Options of every way to train. */
static const char *const WAYS[] = {
    "",
    "--plan direct --descent gradient",
    "--features mlp:8,4 --plan factored",
    "--weights dirichlet --draws 4",
    "--features paper --draws 1",
    "--penalty layer --features poly:2",
};
enum { COUNT = sizeof WAYS / sizeof *WAYS };

Test(command_repeat, same_seed_same_bytes)
{
    test_folder folder = sample_folder();
    for (int i = 0; i < COUNT; i++) {
        fit(&folder, "a.st", WAYS[i]);
        fit(&folder, "b.st", WAYS[i]);
        cr_expect(same_files(&folder, "a.st", "b.st"), "fit %s", WAYS[i]);
    }
    remove_folder(&folder);
}

Test(command_repeat, another_seed_other_parameters)
{
    test_folder folder = sample_folder();
    fit(&folder, "a.st", "--seed 1");
    fit(&folder, "b.st", "--seed 2");
    char *a = succeeds(&folder, "curve a.st --points 2 --json");
    char *b = succeeds(&folder, "curve b.st --points 2 --json");
    cr_expect_str_neq(a, b);
    free(a);
    free(b);
    remove_folder(&folder);
}

Test(command_repeat, any_number_of_threads)
{
    test_folder folder = sample_folder();
    for (int i = 0; i < COUNT; i++) {
        fit(&folder, "a.st", WAYS[i]);
        for (int threads = 2; threads <= 3; threads++) {
            char options[128];
            (void)snprintf(options, sizeof options, "--threads %d %s", threads, WAYS[i]);
            fit(&folder, "b.st", options);
            cr_expect(same_files(&folder, "a.st", "b.st"), "fit %s", options);
        }
    }
    remove_folder(&folder);
}

/* What is read off a model repeats too, posterior draws included. */
Test(command_repeat, results_repeat)
{
    static const char *const words[] = {"curve m.st --draws 4 --json", "tune m.st --json",
                                        "sample m.st --draws 4 --json"};
    test_folder folder = sample_folder();
    fit(&folder, "m.st", "--weights dirichlet --draws 4");
    for (int i = 0; i < 3; i++) {
        char *a = succeeds(&folder, "%s", words[i]);
        char *b = succeeds(&folder, "%s --threads 2", words[i]);
        cr_expect_str_eq(a, b, "%s", words[i]);
        free(a);
        free(b);
    }
    free(succeeds(&folder, "export m.st --out a.st"));
    free(succeeds(&folder, "export m.st --out b.st"));
    cr_expect(same_files(&folder, "a.st", "b.st"));
    remove_folder(&folder);
}
