/* help: the man page and the completion that the tables make, and what a command's help says beside
 * its options. */
#include "cli/experiments/experiments.h"
#include "cli/help.h"
#include "cli_words.h"
#include "support/program.h"

#include <ctype.h>
#include <stdlib.h>

static char *text_from(void (*print)(FILE *))
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    cr_assert_not_null(stream);
    print(stream);
    fclose(stream);
    return text;
}

static char *help_of(const command *cmd)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    cr_assert_not_null(stream);
    help_print(cmd, stream);
    fclose(stream);
    return text;
}

/* ---- what is asked for ------------------------------------------------------------------------- */

Test(help_man, requests)
{
    cr_expect_eq(parse_good("help --man").request, ASK_MAN);
    cr_expect_eq(parse_good("help --completion bash").request, ASK_COMPLETION);
    cr_expect_eq(parse_good("help --completion=bash").request, ASK_COMPLETION);
    parsed p = parse_good("help curve");
    cr_expect_eq(p.request, ASK_HELP);
    cr_expect_str_eq(p.cmd->name, "curve");
    p = parse_words("help --completion zsh");
    cr_expect_eq(p.status, AM_ERR_USAGE);
    cr_expect_str_eq(p.err.message, "--completion 'zsh': only bash is known; give --completion "
                                    "bash");
    cr_expect_eq(parse_words("help --completion").status, AM_ERR_USAGE);
    cr_expect_eq(parse_words("help --mann").status, AM_ERR_USAGE);
    cr_expect_eq(parse_words("help --man curve").status, AM_ERR_USAGE);
}

/* ---- a command's help -------------------------------------------------------------------------- */

Test(help_man, every_command_is_described)
{
    static const char *const part[] = {"\ndescription\n  ", "\nexit status\n  0 ", "\n  2 ",
                                       "\nenvironment\n  AMORTUNE_DATA "};
    for (const command *c = command_table; c->name; c++) {
        char *text = help_of(c);
        cr_expect_not_null(help_text_of(c), "%s", c->name);
        for (size_t i = 0; i < sizeof part / sizeof *part; i++)
            cr_expect_not_null(strstr(text, part[i]), "%s lacks '%s'", c->name, part[i]);
        free(text);
    }
}

Test(help_man, second_examples_parse)
{
    for (const command *c = command_table; c->name; c++) {
        const help_text *text = help_text_of(c);
        if (text == NULL || text->more == NULL)
            continue;
        char words[512];
        snprintf(words, sizeof words, "%s %s", c->name, text->more);
        parsed p = parse_good(words);
        cr_expect(p.request == ASK_RUN && p.cmd == c, "%s", words);
        settings_free(&p.s);
    }
}

/* Explanations stand in one column, however many bytes a letter has. */
Test(help_man, explanations_are_aligned)
{
    for (const command *c = command_table; c->name; c++) {
        char *text = help_of(c), head[96];
        for (int i = 0; i < option_count; i++) {
            const option *o = &option_table[i];
            if (!(o->commands & c->bit) || o->metavar == NULL)
                continue;
            snprintf(head, sizeof head, "\n  --%s %s ", o->name, o->metavar);
            const char *at = strstr(text, head);
            if (at == NULL) /* on a line of its own */
                continue;
            int blanks = (int)strspn(at + strlen(head), " ");
            cr_expect_eq(text_width(head + 1) + blanks, 29, "%s --%s", c->name, o->name);
        }
        free(text);
    }
}

/* Every option of experiment says which experiments take it. */
Test(help_man, experiments_are_named_with_their_options)
{
    const command *cmd = NULL;
    am_error err = {0};
    cr_assert_eq(command_find("experiment", &cmd, &err), AM_OK);
    char *text = help_of(cmd);
    char *at = strstr(text, "\n  --replications N");
    cr_assert_not_null(at);
    char *end = strstr(at + 1, "\n  --");
    end = end != NULL ? end : strstr(at, "\n\n");
    *end = '\0';
    static const char *const takers[] = {"— toy, ", "ridge,", "double-descent,", "student-t"};
    for (size_t i = 0; i < sizeof takers / sizeof *takers; i++)
        cr_expect_not_null(strstr(at, takers[i]), "%s: %s", takers[i], at);
    cr_expect_null(strstr(at, "mnist"), "%s", at);
    free(text);
}

/* ---- the man page ------------------------------------------------------------------------------ */

/* A name as the page has it: every dash one that is typed. */
static void typed(const char *name, char text[64])
{
    for (; *name != '\0'; name++) {
        if (*name == '-')
            *text++ = '\\';
        *text++ = *name;
    }
    *text = '\0';
}

Test(help_man, page_is_ascii_and_has_every_command_option_and_experiment)
{
    char *page = text_from(help_man), words[256];
    for (const char *at = page; *at != '\0'; at++)
        cr_assert(isprint((unsigned char)*at) || *at == '\n', "byte %d", *at);
    for (const command *c = command_table; c->name; c++) {
        snprintf(words, sizeof words, "\n.SS amortune %s\n", c->name);
        char *section = strstr(page, words);
        cr_assert_not_null(section, "%s", c->name);
        char *end = strstr(section + 1, "\n.S");
        char *own = strndup(section, (size_t)(end - section));
        const char *common = strstr(page, "\n.SH OPTIONS OF EVERY COMMAND\n");
        cr_assert_not_null(common);
        for (int i = 0; i < option_count; i++) {
            const option *o = &option_table[i];
            if (!(o->commands & c->bit))
                continue;
            char name[64];
            typed(o->name, name);
            snprintf(words, sizeof words, "\n.TP\n.BR \\-\\-%s%c", name, o->metavar ? ' ' : '\n');
            cr_expect(strstr(own, words) != NULL || strstr(common, words) != NULL, "%s --%s",
                      c->name, o->name);
        }
        free(own);
    }
    for (const experiment *e = experiment_table; e->name; e++) {
        char name[64];
        typed(e->name, name);
        snprintf(words, sizeof words, "\n.TP\n.B %s\n", name);
        cr_expect_not_null(strstr(page, words), "%s", e->name);
    }
    static const char *const heading[] = {"NAME",        "SYNOPSIS",    "DESCRIPTION", "COMMANDS",
                                          "EXIT STATUS", "ENVIRONMENT", "FILES"};
    for (size_t i = 0; i < sizeof heading / sizeof *heading; i++) {
        snprintf(words, sizeof words, "\n.SH %s\n", heading[i]);
        cr_expect_not_null(strstr(page, words), "%s", words);
    }
    free(page);
}

/* A line that begins with '.' is one of the macros that are meant. */
Test(help_man, page_has_no_accidental_requests)
{
    static const char *const macros = " TH SH SS PP TP B BR I IR RI RS RE br nf fi ";
    char *page = text_from(help_man), *rest = page;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        char word[8] = " ";
        cr_expect_neq(line[0], '\'', "%s", line);
        if (line[0] != '.')
            continue;
        snprintf(word, sizeof word, " %.*s ", (int)AM_MIN(strcspn(line + 1, " "), (size_t)4),
                 line + 1);
        cr_expect_not_null(strstr(macros, word), "%s", line);
    }
    free(page);
}

/* groff sets it without a warning, and what is read holds the options as they are typed. */
Test(help_man, page_is_set_without_warnings)
{
    test_folder folder = make_folder();
    outcome o = script(&folder, "command -v groff");
    if (o.code != 0) {
        outcome_free(&o);
        remove_folder(&folder);
        cr_skip_test("no groff");
    }
    outcome_free(&o);
    o = script(&folder, "\"$AMORTUNE\" help --man > page\n"
                        "groff -man -Tutf8 -ww -P-c -P-b -P-u -rLL=100n page");
    cr_expect_eq(o.code, 0);
    cr_expect_str_empty(o.err, "%s", o.err);
    static const char *const part[] = {"amortune curve MODEL [options]", "--lambda-points L,L,…",
                                       "AMORTUNE_DATA", "g(ω, λ) → θ", "student-t"};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        cr_expect_not_null(strstr(o.out, part[i]), "%s", part[i]);
    outcome_free(&o);
    remove_folder(&folder);
}

/* ---- completion -------------------------------------------------------------------------------- */

/* What bash offers behind these words, the last of which is being typed. */
static void completes(const test_folder *folder, const char *words, const char *expected)
{
    outcome o = script(folder,
                       "set +e\nsource completion\nCOMP_WORDS=(amortune %s)\n"
                       "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_amortune\necho \"${COMPREPLY[*]}\"",
                       words);
    cr_assert_eq(o.code, 0, "%s", o.err);
    o.out[strcspn(o.out, "\n")] = '\0';
    cr_expect_str_eq(o.out, expected, "%s: '%s'", words, o.out);
    outcome_free(&o);
}

Test(help_man, completion_for_bash)
{
    test_folder folder = make_folder();
    outcome o = script(&folder, "\"$AMORTUNE\" help --completion bash > completion");
    cr_assert_eq(o.code, 0, "%s", o.err);
    outcome_free(&o);
    completes(&folder, "ex", "export experiment");
    completes(&folder, "fit --resu", "--resume");
    completes(&folder, "fit --device ''", "auto cpu cuda");
    completes(&folder, "mest --penalty e", "elastic-net");
    completes(&folder, "fit --penalty s", "scalar");
    completes(&folder, "experiment st", "student-t");
    completes(&folder, "info --quiet comp", "completion");
    completes(&folder, "help --c", "--completion");
    remove_folder(&folder);
}
