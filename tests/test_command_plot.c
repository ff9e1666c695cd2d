/* --plot as a user asks for it. */
#include "support/program.h"

/* Two classes parted by a line, and a model of them. */
static void fit(const test_folder *folder)
{
    FILE *file = fopen(in_folder(folder, "t.csv"), "w");
    cr_assert_not_null(file);
    fprintf(file, "a,b,y\n");
    for (int i = 0; i < 120; i++)
        fprintf(file, "%d,%d,%s\n", i * 37 % 41, i * 29 % 31,
                i * 37 % 41 > i * 29 % 31 ? "p" : "q");
    fclose(file);
    free(succeeds(folder, "fit --data t.csv --epochs 4 --target 2-4-2 --out m.safetensors"));
}

static bool has_braille(const char *text)
{
    return strstr(text, "\xe2\xa0") != NULL || strstr(text, "\xe2\xa1") != NULL ||
           strstr(text, "\xe2\xa2") != NULL || strstr(text, "\xe2\xa3") != NULL;
}

static int widest(const char *text)
{
    int most = 0, columns = 0;
    for (; *text != '\0'; text++) {
        columns = *text == '\n' ? 0 : columns + (((unsigned char)*text & 0xC0) != 0x80);
        most = AM_MAX(most, columns);
    }
    return most;
}

static outcome plot(const test_folder *folder, const char *environment, const char *words)
{
    outcome o = script(folder, "%s \"$AMORTUNE\" %s --quiet", environment, words);
    cr_assert_eq(o.code, 0, "%s", o.err);
    return o;
}

Test(command_plot, only_on_request_and_as_the_terminal_can)
{
    test_folder folder = make_folder();
    fit(&folder);
    outcome o = plot(&folder, "LC_ALL=C.UTF-8", "curve m.safetensors");
    cr_expect_not(has_braille(o.out));
    outcome_free(&o);
    o = plot(&folder, "LC_ALL=C.UTF-8 COLUMNS=60", "curve m.safetensors --plot");
    expect_holds(o.out, "\nValidation loss (nats)   ━━ generator\n");
    expect_holds(o.out, "\nValidation accuracy   ━━ generator\n");
    expect_holds(o.out, "penalty λ\n");
    cr_expect(has_braille(o.out));
    cr_expect_leq(widest(strstr(o.out, "Validation loss")), 60);
    expect_lacks(o.out, "\033");
    outcome_free(&o);
    o = plot(&folder, "LC_ALL= LC_CTYPE= LANG=C COLUMNS=", "tune m.safetensors --plot");
    const char *chart = strstr(o.out, "Validation loss");
    cr_assert_not_null(chart);
    for (const char *at = chart; *at != '\0'; at++)
        cr_expect(*at > 0, "not ASCII: %.20s", at);
    expect_holds(o.out, "chosen lambda = ");
    cr_expect_eq(widest(chart), 80);
    outcome_free(&o);
    remove_folder(&folder);
}

Test(command_plot, colours_on_a_terminal_without_no_color)
{
    test_folder folder = make_folder();
    fit(&folder);
    static const char words[] = "LC_ALL=C.UTF-8 TERM=xterm %s \"$AMORTUNE\" curve m.safetensors "
                                "--plot --quiet";
    outcome o = script_on_terminal(&folder, words, "NO_COLOR=");
    cr_expect_not_null(strstr(o.out, "\033[0;36m"), "%s", o.out);
    outcome_free(&o);
    o = script_on_terminal(&folder, words, "NO_COLOR=1");
    expect_lacks(o.out, "\033[0;36m");
    outcome_free(&o);
    remove_folder(&folder);
}

Test(command_plot, is_no_option_for_programs)
{
    test_folder folder = make_folder();
    fit(&folder);
    refuses(&folder, 2, "--plot: --json prints for programs", "curve m.safetensors --plot --json");
    refuses(&folder, 2, "--plot: --json prints for programs", "tune m.safetensors --plot --json");
    refuses(&folder, 2, "--plot is no option of experiment ridge", "experiment ridge --plot");
    remove_folder(&folder);
}
