/* Options and commands that are wrong: one line that names the option and the remedy, exit code 2,
 * and nothing is written. */
#include "support/program.h"
#include "support/samples.h"

static void expect_refused(const test_folder *folder, const char *parts, const char *words)
{
    refuses(folder, 2, parts, "%s", words);
    char *text = file_text(folder, "old.st");
    cr_expect_str_eq(text, "an older model");
    free(text);
}

static test_folder sample_folder(void)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    put_text(in_folder(&folder, "old.st"), "an older model");
    return folder;
}

typedef struct {
    const char *words, *parts;
} wrong;

static void expect_all_refused(const wrong *list, size_t count, const char *before)
{
    test_folder folder = sample_folder();
    char words[256];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(words, sizeof words, "%s %s", before, list[i].words);
        expect_refused(&folder, list[i].parts, words);
    }
    cr_expect_eq(count_entries(&folder), 2, "a file was left");
    remove_folder(&folder);
}
#define REFUSED(list, before) expect_all_refused(list, sizeof(list) / sizeof *(list), before)

Test(command_usage, commands)
{
    static const wrong list[] = {
        {"fitt --data images", "unknown command 'fitt'; did you mean fit?"},
        {"destroy", "unknown command 'destroy'"},
        {"--data images fit", "--data: the command comes first; usage: amortune COMMAND"},
        {"help fitt", "fitt"},
        {"experiment", "experiment needs NAME; usage: amortune experiment NAME"},
        {"experiment ridgee", "experiment 'ridgee': not known; there are: mnist"},
        {"curve", "curve needs MODEL; usage: amortune curve MODEL"},
        {"curve a b", "'b' is one argument too many for curve"},
        {"export old.st", "export needs --out FILE"},
        {"fit --out old.st", "fit needs --data D"},
        {"refit --data images --out old.st", "refit needs --lambda L"},
    };
    test_folder folder = sample_folder();
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strncmp(list[i].words, "help", 4) == 0) { /* takes no --quiet */
            outcome o = amortune(&folder, "%s", list[i].words);
            cr_expect_eq(o.code, 2);
            expect_holds(o.err, "amortune: unknown command 'fitt'; did you mean fit?");
            outcome_free(&o);
        } else {
            expect_refused(&folder, list[i].parts, list[i].words);
        }
    remove_folder(&folder);
}

Test(command_usage, options)
{
    static const wrong list[] = {
        {"--sed 3", "unknown option --sed; did you mean --seed?"},
        {"--wibble 3", "--wibble"},
        {"-x", "unknown option -x; options begin with two dashes"},
        {"--points 3", "--points is no option of fit; only curve, tune"},
        {"--seed", "--seed needs a value; give --seed N"},
        {"--seed --quiet", "--seed needs a value; give --seed N"},
        {"--seed three", "--seed three: "},
        {"--seed -1", "--seed -1: "},
        {"--seed 9223372036854775808", "--seed 9223372036854775808: "},
        {"--plan indirect", "--plan indirect: no such choice; give auto, direct or factored"},
        {"--config none.json", "none.json: no such file; check the path"},
        {"--config images/train-labels-idx1-ubyte", "images/train-labels-idx1-ubyte: "},
        {"more", "'more' is one argument too many for fit"},
    };
    REFUSED(list, "fit --data images --out old.st");
}

Test(command_usage, ranges_of_lambda)
{
    static const wrong list[] = {
        {"1e-1:1e-5", "--lambda 1e-1:1e-5: the range is reversed; give LOW:HIGH"},
        {"1e-3:1e-3", "--lambda 1e-3:1e-3: the range is empty; give LOW:HIGH"},
        {"0:1", "--lambda 0:1: the range must be positive; give LOW:HIGH"},
        {"-1:1", "--lambda -1:1: the range must be positive; give LOW:HIGH"},
        {"1e-3", "--lambda 1e-3: not a range; give LOW:HIGH"},
        {"1:nan", "--lambda 1:nan: not a range; give LOW:HIGH"},
        {"1:inf", "--lambda 1:inf: not a range; give LOW:HIGH"},
        {"1:2:3", "--lambda 1:2:3: not a range; give LOW:HIGH"},
        {"1e-40:1", "--lambda 1e-40:1: "},
    };
    REFUSED(list, "fit --data images --out old.st --lambda");
}

Test(command_usage, one_lambda)
{
    static const wrong list[] = {
        {"0", "--lambda 0: not positive; give a number"},
        {"-1e-3", "--lambda -1e-3: not positive; give a number"},
        {"nan", "--lambda nan: "},
        {"1e-5:1e-1", "--lambda 1e-5:1e-1: "},
    };
    REFUSED(list, "refit --data images --out old.st --lambda");
}

/* Generators that cannot be: no rank, no degree, no layers, or too many. */
Test(command_usage, features)
{
    static const wrong list[] = {
        {"poly:0", "--features poly:0: rank 0, one network for every λ; give degree 1 or more"},
        {"cheb:0", "--features cheb:0: rank 0"},
        {"cheb:-1", "features 'cheb:-1': give poly:D, cheb:D"},
        {"cheb:33", "features 'cheb:33': give poly:D, cheb:D"},
        {"cheb:", "features 'cheb:': give poly:D, cheb:D"},
        {"cheb:six", "features 'cheb:six': give poly:D, cheb:D"},
        {"mlp:8,0", "features 'mlp:8,0': give"},
        {"mlp:", "features 'mlp:': give"},
        {"mlp:8,,2", "features 'mlp:8,,2': give"},
        {"split:4,99999", "features 'split:4,99999': give"},
        {"spline:3", "features 'spline:3': give"},
    };
    REFUSED(list, "fit --data images --out old.st --features");
}

Test(command_usage, networks)
{
    static const wrong list[] = {
        {"64-0-3", "target '64-0-3': not a network; give layer sizes joined by '-'"},
        {"64--3", "target '64--3': not a network"},
        {"64", "target '64': needs at least inputs and outputs"},
        {"64-8-3-", "target '64-8-3-': not a network"},
        {"65-8-3", "--target 65-8-3: the data images needs 64 inputs and 3 outputs: 64-…-3"},
        {"64-8-4", "--target 64-8-4: the data images needs 64 inputs and 3 outputs: 64-…-3"},
    };
    REFUSED(list, "fit --data images --out old.st --target");
    REFUSED(list, "refit --data images --out old.st --lambda 1e-3 --target");
}

Test(command_usage, numbers)
{
    static const wrong list[] = {
        {"--draws 5000", "--draws 5000: out of range; give a whole number"},
        {"--batch 0", "--batch 0: out of range"},
        {"--epochs 0", "--epochs 0: out of range; give a number above 0"},
        {"--epochs nan", "--epochs nan: "},
        {"--rate -1", "--rate -1: out of range"},
        {"--validation 0", "--validation 0: out of range"},
        {"--validation 240", "images: 240 of 240 rows for validation leaves 0 for training"},
        {"--blocks 201",
         "blocks: 201 blocks cannot be cut from 200 training rows; ask for 1 to 200"},
        {"--draws 10 --minibatches 3", "minibatches"},
        {"--label kind", "images: a folder of IDX files has labels and test rows of its own"},
        {"--task regression", "images: labels of IDX files are classes; use a CSV for regression"},
        {"--precision bf16", "--precision bf16: the CPU computes in fp32; give --device cuda or "
                             "--precision fp32"},
        {"--descent collocation --features mlp:4,2", "collocation"},
        {"--descent collocation --weights dirichlet", "collocation"},
    };
    REFUSED(list, "fit --data images --out old.st --device cpu");
}

/* A λ that a model was not fitted on would be extrapolation. */
Test(command_usage, lambda_outside_the_models_range)
{
    test_folder folder = sample_folder();
    free(succeeds(&folder, "fit --data images --target 64-8-3 --steps 5 --lambda 1e-3:1e-2 "
                           "--out m.st"));
    static const char parts[] = "outside the range 0.001:0.01 that the model was fitted on; fit it "
                                "again with a wider --lambda";
    expect_refused(&folder, parts, "export m.st --out old.st --lambda 0.1");
    expect_refused(&folder, parts, "sample m.st --lambda 1e-4");
    expect_refused(&folder, "--metric m: no such choice; give nll or accuracy",
                   "tune m.st --metric m");
    expect_refused(&folder, "--draws 1: out of range", "sample m.st --draws 1");
    expect_refused(&folder, "--points 1: out of range", "curve m.st --points 1");
    remove_folder(&folder);
}

Test(command_usage, accuracy_of_a_regression)
{
    test_folder folder = sample_folder();
    put_numbers(&folder, "sample");
    free(succeeds(&folder, "fit --data sample --target 2-4-1 --steps 5 --out m.st"));
    expect_refused(&folder, "--metric accuracy: the model is for regression; give --metric nll",
                   "tune m.st --metric accuracy");
    expect_refused(&folder, "--metric accuracy: the model is for regression",
                   "export m.st --metric accuracy --out old.st");
    remove_folder(&folder);
}

/* A GPU that is asked for and is not there is the machine's fault, not the user's. */
Test(command_usage, a_device_that_is_not_there)
{
    test_folder folder = sample_folder();
    outcome o = amortune(&folder, "fit --data images --steps 5 --device cuda --quiet --out m.st");
    remove_folder(&folder);
    if (o.code == 0)
        cr_skip_test("a GPU works here");
    cr_expect_eq(o.code, 1);
    expect_holds(o.err, "amortune: cuda: ");
    expect_holds(o.err, "--device cpu");
    outcome_free(&o);
}
