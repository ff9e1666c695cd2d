/* What goes to stdout, what to stderr, and in which form. */
#include "support/program.h"
#include "support/samples.h"

static test_folder model_folder(void)
{
    test_folder folder = make_folder();
    put_classes(&folder, "sample");
    free(succeeds(&folder, "fit --data sample --target 2-8-2 --steps 20 --out m.st"));
    return folder;
}

/* Every command once; those of a fit first. */
static const char *const COMMANDS[] = {
    "fit --data sample --target 2-8-2 --steps 20 --out m.st",
    "curve m.st --points 3",
    "tune m.st",
    "sample m.st --draws 2",
    "refit --data sample --steps 20 --lambda 1e-3",
    "export m.st --out n.st",
    "info m.st",
    "help",
    "help fit",
    "--version",
};
enum { COUNT = sizeof COMMANDS / sizeof *COMMANDS };

Test(command_output, results_on_stdout_without_escape_codes)
{
    test_folder folder = model_folder();
    for (int i = 0; i < COUNT; i++) {
        outcome o = amortune(&folder, "%s", COMMANDS[i]);
        cr_expect_eq(o.code, 0, "%s: %s", COMMANDS[i], o.err);
        cr_expect_str_not_empty(o.out, "%s", COMMANDS[i]);
        expect_lacks(o.out, "\033");
        expect_lacks(o.err, "\033");
        expect_lacks(o.err, "\r");
        outcome_free(&o);
    }
    remove_folder(&folder);
}

/* The start-up print and the device are messages, not results. */
Test(command_output, messages_on_stderr)
{
    test_folder folder = model_folder();
    outcome o = amortune(&folder, "%s", COMMANDS[0]);
    expect_holds(o.err, "--target 2-8-2");
    expect_holds(o.err, "device: ");
    expect_lacks(o.out, "device: ");
    expect_holds(o.out, "fitted m.st: 20 steps");
    outcome_free(&o);
    remove_folder(&folder);
}

/* Errors stay when all else is quiet (see refuses). */
Test(command_output, quiet_prints_results_only)
{
    test_folder folder = model_folder();
    for (int i = 0; i < 7; i++) {
        char *out = succeeds(&folder, "%s", COMMANDS[i]);
        cr_expect_str_not_empty(out, "%s", COMMANDS[i]);
        free(out);
    }
    remove_folder(&folder);
}

Test(command_output, json_is_all_there_is_on_stdout)
{
    test_folder folder = model_folder();
    for (int i = 0; i < 7; i++) {
        outcome o = amortune(&folder, "%s --json", COMMANDS[i]);
        cr_expect_eq(o.code, 0, "%s: %s", COMMANDS[i], o.err);
        cJSON_Delete(parse_json(o.out));
        outcome_free(&o);
    }
    remove_folder(&folder);
}

/* A progress line that is rewritten, in colour, unless NO_COLOR says otherwise. */
Test(command_output, a_terminal_gets_one_coloured_line)
{
    test_folder folder = model_folder();
    static const char fit[] = "\"$AMORTUNE\" fit --data sample --target 2-8-2 --steps 200 2>&1";
    outcome o = script_on_terminal(&folder, "%s", fit);
    cr_expect_eq(o.code, 0, "%s", o.out);
    expect_holds(o.out, "\r\033[1;36mfit\033[0m ");
    expect_lacks(o.out, "%\n");
    outcome_free(&o);
    o = script_on_terminal(&folder, "NO_COLOR=1 %s", fit);
    expect_lacks(o.out, "\033");
    expect_holds(o.out, "\rfit ");
    outcome_free(&o);
    o = script_on_terminal(&folder, "TERM=dumb %s", fit);
    expect_lacks(o.out, "\033");
    outcome_free(&o);
    o = script_on_terminal(&folder, "%s --quiet", fit);
    expect_lacks(o.out, "steps/s");
    outcome_free(&o);
    remove_folder(&folder);
}

/* Results that could not be printed are a failure, and a reader that had enough is none. */
Test(command_output, a_full_or_closed_stdout)
{
    test_folder folder = model_folder();
    static const char *const words[] = {"curve m.st --points 200", "info m.st", "help fit"};
    for (int i = 0; i < 3; i++) {
        outcome o = script(&folder, "exec \"$AMORTUNE\" %s >/dev/full", words[i]);
        cr_expect_eq(o.code, 1, "%s", words[i]);
        expect_holds(o.err, "amortune: standard output: ");
        outcome_free(&o);
        o = script(&folder, "exec \"$AMORTUNE\" %s >&-", words[i]);
        cr_expect_eq(o.code, 1, "%s", words[i]);
        outcome_free(&o);
        o = script(&folder, "\"$AMORTUNE\" %s | true; exit ${PIPESTATUS[0]}", words[i]);
        cr_expect_eq(o.code, 0, "%s: %s", words[i], o.err);
        outcome_free(&o);
    }
    remove_folder(&folder);
}

/* With stderr closed the model must not receive the messages. */
Test(command_output, closed_streams_do_not_reach_files)
{
    test_folder folder = model_folder();
    outcome o = script(&folder, "exec \"$AMORTUNE\" fit --data sample --target 2-8-2 --steps 20 "
                                "--out other.st <&- 2>&-");
    cr_expect_eq(o.code, 0);
    outcome_free(&o);
    cr_expect(same_files(&folder, "m.st", "other.st"));
    remove_folder(&folder);
}
