/* A fit that is stopped, killed or damaged, and taken up again. */
#include "support/program.h"
#include "support/samples.h"

#include "base/base.h"

#include <signal.h>

/* Long enough to be stopped midway; a checkpoint after nearly every fiftieth of it. */
static const char FIT[] = "fit --data images --target 64-8-3 --features cheb:6 --steps 2000 "
                          "--batch 64 --draws 8 --rate 3e-3 --checkpoint-seconds 0.001";

static test_folder sample_folder(void)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    return folder;
}

static outcome interrupt_once(const test_folder *folder, const char *model, const char *options,
                              int signal_number)
{
    char *checkpoint = am_format("%s.checkpoint", model);
    outcome o = signal_at_checkpoint(folder, signal_number, checkpoint, "%s --out %s %s", FIT,
                                     model, options);
    free(checkpoint);
    return o;
}

/* Should the fit have ended before the signal came, on a machine that let this test sleep, the
 * model is removed and it begins anew. */
static outcome interrupt(const test_folder *folder, const char *model, const char *options,
                         int signal_number)
{
    outcome o = interrupt_once(folder, model, options, signal_number);
    for (int i = 0; o.code == 0 && i < 20; i++) {
        outcome_free(&o);
        cr_assert_eq(remove(in_folder(folder, model)), 0);
        o = interrupt_once(folder, model, "", signal_number);
    }
    return o;
}

static double step_of(const test_folder *folder, const char *file)
{
    char *out = succeeds(folder, "info %s --json", file);
    cJSON *o = parse_json(out);
    double step = json_value(o, "step");
    cJSON_Delete(o);
    free(out);
    return step;
}

static void expect_resumes(const test_folder *folder, const char *model)
{
    free(succeeds(folder, "%s --out %s --resume", FIT, model));
    free(succeeds(folder, "%s --out whole.st", FIT));
    cr_expect(same_files(folder, "whole.st", model), "resumed is not the same as uninterrupted");
    char *checkpoint = am_format("%s.checkpoint", model);
    cr_expect_not(am_path_exists(in_folder(folder, checkpoint)), "%s is left", checkpoint);
    free(checkpoint);
}

Test(command_resume, after_an_interrupt)
{
    static const int signals[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        test_folder folder = sample_folder();
        outcome o = interrupt(&folder, "m.st", "", signals[i]);
        cr_expect_eq(o.code, 130, "exit code %d: %s", o.code, o.err);
        cr_expect_eq(lines_of(o.err), 1, "%s", o.err);
        expect_holds(o.err, "amortune: fit stopped at step ");
        expect_holds(o.err, "the same command with --resume goes on from m.st.checkpoint");
        long long said = -1;
        cr_expect_eq(sscanf(o.err, "amortune: fit stopped at step %lld", &said), 1);
        cr_expect_eq(step_of(&folder, "m.st.checkpoint"), (double)said);
        cr_expect_not(am_path_exists(in_folder(&folder, "m.st")));
        outcome_free(&o);
        expect_resumes(&folder, "m.st");
        remove_folder(&folder);
    }
}

Test(command_resume, after_a_kill)
{
    test_folder folder = sample_folder();
    outcome o = interrupt(&folder, "m.st", "", SIGKILL);
    cr_expect_eq(o.code, 128 + SIGKILL);
    outcome_free(&o);
    expect_resumes(&folder, "m.st");
    remove_folder(&folder);
}

Test(command_resume, after_two_kills)
{
    test_folder folder = sample_folder();
    outcome o = interrupt(&folder, "m.st", "", SIGKILL);
    cr_expect_eq(o.code, 128 + SIGKILL);
    outcome_free(&o);
    double first = step_of(&folder, "m.st.checkpoint");
    o = interrupt_once(&folder, "m.st", "--resume", SIGKILL);
    if (o.code != 0) { /* else it was too quick, and the kill was one */
        cr_expect_eq(o.code, 128 + SIGKILL);
        cr_expect_gt(step_of(&folder, "m.st.checkpoint"), first);
        expect_resumes(&folder, "m.st");
    }
    outcome_free(&o);
    remove_folder(&folder);
}

/* A resumed run says where it goes on. */
Test(command_resume, says_where_it_goes_on)
{
    test_folder folder = sample_folder();
    outcome o = interrupt(&folder, "m.st", "", SIGINT);
    outcome_free(&o);
    char said[64];
    (void)snprintf(said, sizeof said, "resuming at step %.0f of 2000",
                   step_of(&folder, "m.st.checkpoint"));
    o = amortune(&folder, "%s --out m.st --resume", FIT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    expect_holds(o.err, said);
    expect_holds(o.out, " steps more in ");
    outcome_free(&o);
    remove_folder(&folder);
}

/* ---- what is refused ---------------------------------------------------------------------------
 */

/* A checkpoint of FIT at m.st, half way. */
static test_folder stopped_folder(void)
{
    test_folder folder = sample_folder();
    outcome o = interrupt(&folder, "m.st", "", SIGINT);
    cr_assert_eq(o.code, 130, "%s", o.err);
    outcome_free(&o);
    return folder;
}

static void keep(const test_folder *folder, const char *name, const char *copy)
{
    size_t size;
    uint8_t *bytes = get_stored(in_folder(folder, name), &size);
    put_stored(in_folder(folder, copy), bytes, size);
    free(bytes);
}

Test(command_resume, other_options_name_the_first_difference)
{
    static const struct {
        const char *options, *parts;
    } other[] = {
        {"--rate 1e-2", "rate was 0.003|is now 0.01"},
        {"--seed 2", "seed was 1 and is now 2"},
        {"--steps 2001", "steps was 2000 and is now 2001"},
        {"--batch 65", "batch was 64 and is now 65"},
        {"--lambda 1e-4:1e-1", "lambda_low was "},
        {"--features cheb:5", "features was cheb:6 and is now cheb:5"},
        {"--target 64-9-3", "target was 64-8-3 and is now 64-9-3"},
        {"--validation 30", "data_validation was "},
        {"--weights dirichlet", "weights was ones and is now dirichlet"},
    };
    test_folder folder = stopped_folder();
    keep(&folder, "m.st.checkpoint", "copy");
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        char parts[256];
        (void)snprintf(parts, sizeof parts, "m.st.checkpoint|%s|give the same options",
                       other[i].parts);
        refuses(&folder, 2, parts, "%s --out m.st --resume %s", FIT, other[i].options);
    }
    cr_expect(same_files(&folder, "m.st.checkpoint", "copy"));
    cr_expect_not(am_path_exists(in_folder(&folder, "m.st")));
    expect_resumes(&folder, "m.st"); /* nothing was lost */
    remove_folder(&folder);
}

Test(command_resume, without_a_checkpoint)
{
    test_folder folder = sample_folder();
    put_text(in_folder(&folder, "m.st"), "an older model");
    refuses(&folder, 2, "m.st.checkpoint: no checkpoint to resume from; start without --resume",
            "%s --out m.st --resume", FIT);
    char *text = file_text(&folder, "m.st");
    cr_expect_str_eq(text, "an older model");
    free(text);
    remove_folder(&folder);
}

/* Cut short anywhere, or with bytes changed in the header: refused, and left as it is. */
Test(command_resume, from_a_damaged_checkpoint)
{
    test_folder folder = stopped_folder();
    put_text(in_folder(&folder, "m.st"), "an older model");
    size_t size;
    uint8_t *bytes = get_stored(in_folder(&folder, "m.st.checkpoint"), &size);
    const size_t cuts[] = {0, 4, 8, 100, size / 2, size - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        put_stored(in_folder(&folder, "m.st.checkpoint"), bytes, cuts[i]);
        refuses(&folder, 2, "m.st.checkpoint: ", "%s --out m.st --resume", FIT);
    }
    bytes[0] ^= 0x10; /* the header's length */
    put_stored(in_folder(&folder, "m.st.checkpoint"), bytes, size);
    put_stored(in_folder(&folder, "copy"), bytes, size);
    refuses(&folder, 2, "m.st.checkpoint: ", "%s --out m.st --resume", FIT);
    cr_expect(same_files(&folder, "m.st.checkpoint", "copy"));
    char *text = file_text(&folder, "m.st");
    cr_expect_str_eq(text, "an older model");
    free(text);
    free(bytes);
    remove_folder(&folder);
}

/* A finished model is no checkpoint of the run: it has no optimiser. */
Test(command_resume, from_a_model)
{
    test_folder folder = sample_folder();
    free(succeeds(&folder, "%s --out m.st", FIT));
    cr_assert_eq(rename(in_folder(&folder, "m.st"), in_folder(&folder, "m.st.checkpoint")), 0);
    refuses(&folder, 2, "m.st.checkpoint: ", "%s --out m.st --resume", FIT);
    cr_expect_not(am_path_exists(in_folder(&folder, "m.st")));
    remove_folder(&folder);
}
