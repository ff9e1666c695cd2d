/* help: what it says follows the table, and fits. */
#include "cli_words.h"

#include "cli/option.h"

#include <stdlib.h>

static char *text_of_help(const command *cmd)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    cr_assert(stream != NULL);
    help_print(cmd, stream);
    fclose(stream);
    return text;
}

static void cr_fits(const char *text)
{
    char *copy = strdup(text), *rest = copy;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        size_t length = strlen(line);
        cr_expect(text_width(line) <= AM_COLUMNS, "%d columns: %s", text_width(line), line);
        cr_expect(length == 0 || line[length - 1] != ' ', "a blank at the end: '%s'", line);
    }
    free(copy);
}

/* "  --seed N  " or the end of the line behind it */
static bool has_option(const char *text, const option *o)
{
    char head[64];
    snprintf(head, sizeof head, "\n  --%s%s%s", o->name, o->metavar ? " " : "",
             o->metavar ? o->metavar : "");
    const char *at = strstr(text, head);
    return at != NULL && strchr(" \n", at[strlen(head)]) != NULL;
}

/* The help as one line: words parted by single blanks. */
static char *unwrapped(const char *text)
{
    char *flat = malloc(strlen(text) + 1), *out = flat;
    for (; *text; text++)
        if (!strchr(" \n", *text) || (out > flat && out[-1] != ' '))
            *out++ = *text == '\n' ? ' ' : *text;
    *out = '\0';
    return flat;
}

Test(help, of_a_command_has_its_options_and_no_others)
{
    for (const command *c = command_table; c->name; c++) {
        char *text = text_of_help(c), *flat = unwrapped(text);
        for (int i = 0; i < option_count; i++) {
            const option *o = &option_table[i];
            bool own = (o->commands & c->bit) != 0;
            if (own)
                cr_expect(has_option(text, o), "%s: --%s", c->name, o->name);
            if (own)
                cr_expect(strstr(flat, o->help) != NULL, "%s: --%s: '%s'", c->name, o->name,
                          o->help);
        }
        char *rest = text;
        for (char *at; (at = strstr(rest, "\n  --")) != NULL; rest = at + 1) {
            const option *row;
            am_error err = {0};
            const char *name = at + 5;
            cr_expect(option_find(c, NULL, name, strcspn(name, " \n"), &row, &err) == AM_OK,
                      "%s: %s", c->name, err.message);
        }
        free(flat);
        free(text);
    }
}

Test(help, of_a_command_has_defaults_choices_usage_and_example)
{
    for (const command *c = command_table; c->name; c++) {
        char *text = text_of_help(c), *flat = unwrapped(text), words[512];
        for (int i = 0; i < option_count; i++) {
            const option *o = &option_table[i];
            if (!(o->commands & c->bit))
                continue;
            char tail[256] = "";
            if (o->kind == OPTION_CHOICE)
                snprintf(tail, sizeof tail, " (%s)", o->limit.choices);
            if (o->fallback)
                snprintf(tail + strlen(tail), sizeof tail - strlen(tail), " [%s]", o->fallback);
            if (o->required & c->bit)
                strcat(tail, " (required)");
            char *explained = am_format("%s%s", o->help, tail);
            cr_expect(strstr(flat, explained) != NULL, "%s: '%s'", c->name, explained);
            free(explained);
        }
        snprintf(words, sizeof words, "usage\n  amortune %s %s [options]\n", c->name, c->arguments);
        cr_expect(strstr(text, words) != NULL, "%s", words);
        snprintf(words, sizeof words, "example\n  amortune %s %s\n", c->name, c->example);
        cr_expect(strstr(text, words) != NULL, "%s", words);
        free(flat);
        free(text);
    }
}

Test(help, examples_parse)
{
    for (const command *c = command_table; c->name; c++) {
        char words[512];
        snprintf(words, sizeof words, "%s %s", c->name, c->example);
        parsed p = parse_good(words);
        cr_assert(p.request == ASK_RUN && p.cmd == c);
        settings_free(&p.s);
    }
}

Test(help, general_help_lists_the_commands_and_the_common_options)
{
    char *text = text_of_help(NULL);
    for (const command *c = command_table; c->name; c++)
        cr_expect(strstr(text, c->name) != NULL && strstr(text, c->summary) != NULL, "%s", c->name);
    static const char *const common[] = {"seed", "device", "threads", "precision",
                                         "json", "quiet",  "config"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        char head[32];
        snprintf(head, sizeof head, "\n  --%s ", common[i]);
        cr_expect(strstr(text, head) != NULL, "--%s", common[i]);
    }
    cr_expect(strstr(text, "--epochs") == NULL);
    free(text);
}

Test(help, fits_into_a_hundred_columns)
{
    char *text = text_of_help(NULL);
    cr_fits(text);
    free(text);
    for (const command *c = command_table; c->name; c++) {
        text = text_of_help(c);
        cr_fits(text);
        free(text);
    }
}

/* ---- the start-up print ------------------------------------------------------------------------
 */

static char *text_of_settings(const parsed *p)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    cr_assert(stream != NULL);
    settings_print(&p->s, p->cmd, stream);
    fclose(stream);
    return text;
}

/* "COMMAND ARGUMENT --option value …" of what was printed: the group names left out. */
static void command_line_of(char *text, char *words)
{
    char *rest = text, *line = strsep(&rest, "\n");
    char version[32];
    snprintf(version, sizeof version, "amortune %s ", am_version());
    cr_assert(strncmp(line, version, strlen(version)) == 0, "%s", line);
    strcpy(words, line + strlen(version));
    while ((line = strsep(&rest, "\n")) != NULL) {
        char *options = strstr(line, "--");
        if (options != NULL)
            sprintf(words + strlen(words), " %s", options);
    }
}

static void cr_prints_itself(const char *given)
{
    parsed first = parse_good(given);
    char *text = text_of_settings(&first), words[LONGEST_LINE];
    cr_fits(text);
    command_line_of(text, words);
    parsed second = parse_good(words);
    cr_assert(second.cmd == first.cmd && second.s.argument_count == first.s.argument_count);
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        if (!(o->commands & first.cmd->bit))
            continue;
        char *a = option_value_text(&first.s, o), *b = option_value_text(&second.s, o);
        cr_expect((a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0),
                  "--%s: '%s' then '%s'", o->name, a ? a : "(none)", b ? b : "(none)");
        free(a);
        free(b);
    }
    free(text);
    settings_free(&first.s);
    settings_free(&second.s);
}

Test(settings_print, typed_again_gives_the_same_settings)
{
    cr_prints_itself("fit --data mnist");
    cr_prints_itself("fit --data d --lambda 0.10000000149011612:0.3 --blocks n --resume --seed 0 "
                     "--target 784-256-128-10 --features mlp:32,8 --rate 1e-300 --epochs 0.1");
    cr_prints_itself("refit --data d --lambda 1e-4 --weights-seed 7");
    cr_prints_itself("experiment mnist --audit --draws 0 --metric accuracy");
    cr_prints_itself("sample model.safetensors");
    cr_prints_itself("info model.safetensors");
}

Test(settings_print, is_silent_when_quiet)
{
    parsed p = parse_good("fit --data mnist --quiet");
    char *text = text_of_settings(&p);
    cr_assert_str_empty(text);
    free(text);
    settings_free(&p.s);
}
