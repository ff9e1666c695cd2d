/* Places that cannot be written, disks that fill up, runs that fail: exit code 1 or 2, one line,
 * and what stood there before still stands. Permissions do not hold for root, so a path below a
 * file stands in for a folder that cannot be written, and a limit on the size of files for a full
 * disk. */
#include "support/program.h"
#include "support/samples.h"

static test_folder model_folder(void)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    free(succeeds(&folder, "fit --data images --target 64-16-3 --steps 20 --out m.st"));
    put_text(in_folder(&folder, "file"), "a file, not a folder");
    return folder;
}

/* Commands that write, with %s in the place of --out's value. */
static const char *const WRITERS[] = {
    "fit --data images --target 64-16-3 --steps 20 --out %s",
    "curve m.st --points 3 --out %s",
    "tune m.st --out %s",
    "sample m.st --draws 2 --lambda 1e-3 --out %s",
    "refit --data images --steps 5 --lambda 1e-3 --out %s",
    "export m.st --lambda 1e-3 --out %s",
    "info m.st --out %s",
    "experiment mnist --dataset images --epochs 1 --points 2 --draws 0 --out %s",
    "polish m.st --lambda 1e-3 --out %s",
    "polish m.st --lambda 1e-3 --draws 2 --out %s",
};
enum { COUNT = sizeof WRITERS / sizeof *WRITERS };

static void writer_words(char words[256], int i, const char *out)
{
    const char *mark = strstr(WRITERS[i], "%s");
    (void)snprintf(words, 256, "%.*s%s", (int)(mark - WRITERS[i]), WRITERS[i], out);
}

Test(command_disk, a_file_in_the_place_of_a_folder)
{
    test_folder folder = model_folder();
    for (int i = 0; i < COUNT; i++) {
        char words[256];
        writer_words(words, i, "file/below");
        refuses(&folder, 1,
                "file: |a file stands where a folder is wanted; remove it or choose another", "%s",
                words);
    }
    char *text = file_text(&folder, "file");
    cr_expect_str_eq(text, "a file, not a folder");
    free(text);
    remove_folder(&folder);
}

/* Permissions, where they hold. */
Test(command_disk, a_folder_without_permission)
{
    if (geteuid() == 0)
        cr_skip_test("root may write everywhere");
    test_folder folder = model_folder();
    outcome o = script(&folder, "mkdir locked; chmod 500 locked");
    outcome_free(&o);
    for (int i = 0; i < COUNT; i++) {
        char words[256];
        writer_words(words, i, "locked/new");
        refuses(&folder, 1, "locked", "%s", words);
    }
    remove_folder(&folder);
}

Test(command_disk, a_folder_or_device_in_the_place_of_a_file)
{
    test_folder folder = model_folder();
    static const int files[] = {0, 4, 5, 6, 8};
    for (int i = 0; i < 5; i++) {
        char words[256];
        writer_words(words, files[i], "images");
        refuses(&folder, 2, "--out images: is a folder; give a file name", "%s", words);
    }
    refuses(&folder, 1, "/dev/full", "export m.st --lambda 1e-3 --out /dev/full");
    remove_folder(&folder);
}

/* At most 1,024 bytes a file, less than any model: the old one keeps its bytes, nothing is left. */
Test(command_disk, a_full_disk)
{
    static const int files[] = {0, 4, 5, 8};
    test_folder folder = model_folder();
    put_text(in_folder(&folder, "old.st"), "an older model");
    int entries = count_entries(&folder);
    for (int i = 0; i < 4; i++) {
        char words[256];
        writer_words(words, files[i], "old.st");
        outcome o = script(&folder, "ulimit -f 1; exec \"$AMORTUNE\" %s --quiet", words);
        cr_expect_eq(o.code, 1, "%s: %d: %s", words, o.code, o.err);
        cr_expect_eq(lines_of(o.err), 1, "%s", o.err);
        expect_holds(o.err, "/old.st: cannot write: File too large; raise the limit on file sizes");
        outcome_free(&o);
        char *text = file_text(&folder, "old.st");
        cr_expect_str_eq(text, "an older model", "%s", words);
        free(text);
        cr_expect_eq(count_entries(&folder), entries, "%s left a file", words);
    }
    remove_folder(&folder);
}

/* The last checkpoint that could be written stays when the next one cannot. */
Test(command_disk, a_disk_that_fills_up_during_a_fit)
{
    test_folder folder = model_folder();
    put_text(in_folder(&folder, "old.st"), "an older model");
    put_text(in_folder(&folder, "old.st.checkpoint"), "an older checkpoint");
    outcome o = script(&folder, "ulimit -f 1; exec \"$AMORTUNE\" fit --data images --steps 500 "
                                "--out old.st --checkpoint-seconds 0.0001 --quiet");
    cr_expect_eq(o.code, 1);
    expect_holds(o.err, "/old.st.checkpoint: cannot write: File too large; raise the limit");
    outcome_free(&o);
    char *model = file_text(&folder, "old.st"), *saved = file_text(&folder, "old.st.checkpoint");
    cr_expect_str_eq(model, "an older model");
    cr_expect_str_eq(saved, "an older checkpoint");
    free(model);
    free(saved);
    remove_folder(&folder);
}

/* Folders of results: the files of an earlier run stay whole. */
Test(command_disk, results_on_a_full_disk)
{
    test_folder folder = model_folder();
    free(succeeds(&folder, "curve m.st --points 3 --out curve"));
    char *before = file_text(&folder, "curve/curve.svg");
    outcome o = script(&folder, "ulimit -f 1; exec \"$AMORTUNE\" curve m.st --points 4 --out curve "
                                "--quiet");
    cr_expect_eq(o.code, 1);
    expect_holds(o.err, "/curve/curve.svg: cannot write: File too large; raise the limit");
    outcome_free(&o);
    char *after = file_text(&folder, "curve/curve.svg");
    cr_expect_str_eq(before, after);
    free(before);
    free(after);
    remove_folder(&folder);
}

/* A run that diverges explains itself and spares the old model. */
Test(command_disk, a_diverging_fit)
{
    test_folder folder = model_folder();
    put_text(in_folder(&folder, "old.st"), "an older model");
    outcome o = amortune(&folder, "fit --data images --rate 1000 --steps 400 --out old.st --quiet");
    cr_expect_eq(o.code, 1, "%d: %s", o.code, o.err);
    cr_expect_eq(lines_of(o.err), 1, "%s", o.err);
    expect_holds(o.err, "amortune: fit diverged at step ");
    expect_holds(o.err, "lower --rate");
    bool promised = strstr(o.err, "old.st.checkpoint") != NULL;
    cr_expect_eq(promised, am_path_exists(in_folder(&folder, "old.st.checkpoint")), "%s", o.err);
    outcome_free(&o);
    char *text = file_text(&folder, "old.st");
    cr_expect_str_eq(text, "an older model");
    free(text);
    remove_folder(&folder);
}
