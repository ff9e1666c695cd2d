/* `amortune fit --mode supervised` and `--mode hybrid`, as a user types them. */
#include "support/program.h"
#include "support/samples.h"

#include "base/base.h"

#include <signal.h>

static const char FIT[] = "fit --data images --target 64-8-3 --batch 64";
/* Long enough to be stopped in any of its stages. */
static const char LONG_FIT[] = "fit --data images --target 64-8-3 --features cheb:6 --steps 2000 "
                               "--batch 64 --rate 3e-3 --checkpoint-seconds 0.001";

static test_folder sample_folder(void)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    return folder;
}

/* What `info --json` says of a model. */
static cJSON *info_of(const test_folder *folder, const char *file)
{
    char *out = succeeds(folder, "info %s --json", file);
    cJSON *o = parse_json(out);
    free(out);
    return o;
}

static void expect_word(const cJSON *o, const char *path, const char *word)
{
    const cJSON *item = json_item(o, path);
    cr_expect_str_eq(cJSON_GetStringValue(item), word, "%s", path);
}

/* Every command takes the models of every mode. */
Test(command_modes, the_models_are_models_like_any_other)
{
    static const char *const modes[] = {"supervised", "hybrid"};
    static const char *const families[] = {"", "--weights dirichlet --blocks 4 --features poly:2",
                                           "--weights dirichlet --blocks 4",
                                           "--networks 2 --features cheb:3", "--penalty layer"};
    test_folder folder = sample_folder();
    for (int m = 0; m < 2; m++)
        for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
            free(succeeds(&folder, "%s --steps 60 --mode %s %s --out m.st", FIT, modes[m],
                          families[i]));
            cJSON *o = info_of(&folder, "m.st");
            expect_word(o, "mode", modes[m]);
            cr_expect_eq(json_value(o, "step"), 60);
            cJSON_Delete(o);
            free(succeeds(&folder, "curve m.st --points 4 --draws 2"));
            free(succeeds(&folder, "tune m.st --points 4"));
            free(succeeds(&folder, "sample m.st --lambda 1e-3 --draws 3"));
            if (i != 3) /* several networks are no one network */
                free(succeeds(&folder, "export m.st --lambda 1e-3 --out w.st"));
        }
    remove_folder(&folder);
}

/* The defaults that the help states: 8 labels for 6 features, 2 rounds, or 1 and four fifths. */
Test(command_modes, defaults_are_recorded)
{
    test_folder folder = sample_folder();
    free(succeeds(&folder, "%s --steps 50 --mode supervised --out s.st", FIT));
    cJSON *o = info_of(&folder, "s.st");
    cr_expect_eq(json_value(o, "labels"), 8);
    cr_expect_eq(json_value(o, "rounds"), 2);
    cJSON_Delete(o);
    free(succeeds(&folder, "%s --steps 50 --mode hybrid --out h.st", FIT));
    o = info_of(&folder, "h.st");
    cr_expect_eq(json_value(o, "labels"), 8);
    cr_expect_eq(json_value(o, "rounds"), 1);
    cr_expect_eq(json_value(o, "share"), 0.8);
    cJSON_Delete(o);
    free(succeeds(
        &folder, "%s --steps 50 --mode hybrid --labels 3 --rounds 4 --share 0.25 --out h.st", FIT));
    o = info_of(&folder, "h.st");
    cr_expect_eq(json_value(o, "labels"), 3);
    cr_expect_eq(json_value(o, "rounds"), 4);
    cr_expect_eq(json_value(o, "share"), 0.25);
    cJSON_Delete(o);
    char *text = succeeds(&folder, "info h.st");
    expect_holds(text, "hybrid");
    expect_holds(text, "3 labels in 4 rounds");
    free(text);
    remove_folder(&folder);
}

/* 0.3·√(10⁻⁵·10⁻¹), unless it is given; and the stage that goes first. */
Test(command_modes, coarse_to_fine_is_recorded)
{
    test_folder folder = sample_folder();
    free(succeeds(&folder, "%s --steps 50 --path coarse-to-fine --out c.st", FIT));
    cJSON *o = info_of(&folder, "c.st");
    cr_expect_float_eq(json_value(o, "lambda_knee"), 3e-4, 1e-18);
    cJSON_Delete(o);
    char *text = succeeds(&folder, "info c.st");
    expect_holds(text, "cheb:3");
    expect_holds(text, "knee 0.0003");
    expect_holds(text, "0.77 of the steps: degree 1, 4 draws × ");
    free(text);
    free(succeeds(&folder, "curve c.st --points 3"));
    free(succeeds(&folder, "%s --steps 50 --lambda-knee 1e-3 --out k.st", FIT));
    text = succeeds(&folder, "info k.st");
    expect_holds(text, "cheb:5");
    expect_holds(text, "knee 0.001");
    free(text);
    free(succeeds(&folder, "tune k.st --select gradient"));
    remove_folder(&folder);
}

/* Stopped wherever the signal finds it, killed, and taken up again: the same file. */
Test(command_modes, resumed_is_the_same_as_uninterrupted)
{
    static const char *const ways[] = {
        "--mode supervised --rounds 3",
        "--mode hybrid --share 0.3 --rounds 2",
        "--mode supervised --networks 2",
    };
    static const int signals[] = {SIGINT, SIGKILL};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        test_folder folder = sample_folder();
        free(succeeds(&folder, "%s %s --out whole.st", LONG_FIT, ways[i]));
        for (int k = 0; k < 2; k++) {
            const char *resume = "";
            int code = 1;
            for (int stops = 0; stops < 3; stops++) { /* as often as there is time for */
                outcome o = signal_at_checkpoint(&folder, signals[k], "m.st.checkpoint",
                                                 "%s %s --out m.st %s", LONG_FIT, ways[i], resume);
                code = o.code;
                cr_expect(code == 0 || code == (k == 0 ? 130 : 128 + SIGKILL), "%d: %s", code,
                          o.err);
                outcome_free(&o);
                if (code == 0)
                    break;
                resume = "--resume";
            }
            if (code != 0)
                free(succeeds(&folder, "%s %s --out m.st --resume", LONG_FIT, ways[i]));
            cr_expect(same_files(&folder, "whole.st", "m.st"), "%s: resumed is not the same",
                      ways[i]);
            cr_expect_not(am_path_exists(in_folder(&folder, "m.st.checkpoint")));
            cr_assert_eq(remove(in_folder(&folder, "m.st")), 0);
        }
        remove_folder(&folder);
    }
}

/* A checkpoint of one mode is none of another. */
Test(command_modes, a_checkpoint_of_another_mode_is_refused)
{
    test_folder folder = sample_folder();
    outcome o = {0};
    for (int i = 0; i < 20 && o.code != 130; i++) {
        outcome_free(&o);
        o = signal_at_checkpoint(&folder, SIGINT, "m.st.checkpoint",
                                 "%s --mode supervised --out m.st", LONG_FIT);
    }
    cr_assert_eq(o.code, 130, "%s", o.err);
    expect_holds(o.err, "amortune: fit stopped at step ");
    expect_holds(o.err, " of 2000; the same command with --resume goes on from m.st.checkpoint");
    outcome_free(&o);
    refuses(&folder, 2, "m.st.checkpoint|mode was supervised and is now criterion",
            "%s --out m.st --resume", LONG_FIT);
    refuses(&folder, 2, "m.st.checkpoint|labels was 10 and is now 9",
            "%s --mode supervised --labels 9 --out m.st --resume", LONG_FIT);
    refuses(&folder, 2, "m.st.checkpoint|rounds was 2 and is now 3",
            "%s --mode supervised --rounds 3 --out m.st --resume", LONG_FIT);
    remove_folder(&folder);
}

Test(command_modes, wrong_options_are_refused)
{
    static const struct {
        const char *options, *parts;
    } wrong[] = {
        {"--mode odd", "--mode odd|criterion|supervised|hybrid"},
        {"--labels 8", "--labels: --mode criterion has no use for it; give --mode supervised"},
        {"--rounds 2", "--rounds: --mode criterion has no use for it"},
        {"--share 0.5", "--share: --mode criterion has no use for it; give --mode hybrid"},
        {"--mode supervised --share 0.5", "--share: --mode supervised has no use for it"},
        {"--mode supervised --draws 8", "--draws: --mode supervised|give --labels"},
        {"--mode supervised --minibatches 2", "--minibatches: --mode supervised"},
        {"--mode supervised --descent gradient", "--descent: --mode supervised"},
        {"--mode supervised --plan direct", "--plan: --mode supervised"},
        {"--mode supervised --clip 1", "--clip: --mode supervised"},
        {"--mode supervised --labels -1", "--labels -1|0..4096"},
        {"--mode supervised --labels 4097", "--labels 4097|0..4096"},
        {"--mode hybrid --share 1", "--share 1"},
        {"--mode hybrid --rounds 1001", "--rounds 1001"},
        {"--mode supervised --rounds 20 --steps 19", "--steps 19: too few for --rounds 20"},
        {"--path odd", "--path odd|full|coarse-to-fine"},
        {"--path coarse-to-fine --mode hybrid", "--path coarse-to-fine|--mode criterion"},
        {"--path coarse-to-fine --penalty layer", "--path coarse-to-fine|--penalty scalar"},
        {"--path coarse-to-fine --weights dirichlet --features cheb:3 --descent collocation "
         "--nodes nodes",
         "--path coarse-to-fine|--weights ones"},
        {"--path coarse-to-fine --descent gradient", "--path coarse-to-fine|--descent collocation"},
        {"--path coarse-to-fine --nodes stratified", "--path coarse-to-fine|--nodes nodes"},
        {"--path coarse-to-fine --features cheb:1", "--path coarse-to-fine: features cheb:1"},
        {"--path coarse-to-fine --steps 1", "--steps 1: too few for two stages"},
        {"--mode hybrid --posterior implicit", "--posterior implicit|--mode criterion"},
    };
    test_folder folder = sample_folder();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuses(&folder, 2, wrong[i].parts, "%s --out m.st %s", FIT, wrong[i].options);
    cr_expect_not(am_path_exists(in_folder(&folder, "m.st")));
    remove_folder(&folder);
}
