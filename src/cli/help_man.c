/* The man page. Everything that is not ASCII is written as groff's \[uXXXX], so that it does not
 * depend on the reader's locale or preprocessor. */
#include "cli/commands.h"
#include "cli/experiments/experiments.h"
#include "cli/help.h"

#include <string.h>

/* One character of running text or of a literal, where every dash is one to be typed. Returns its
 * bytes. */
static int put_character(const char *text, bool literal, FILE *stream)
{
    uint32_t codepoint;
    int bytes = am_utf8_decode(text, strlen(text), &codepoint);
    if (bytes > 1)
        fprintf(stream, "\\[u%04X]", codepoint);
    else if (*text == '\\')
        fputs("\\e", stream);
    else if (*text == '-' && literal)
        fputs("\\-", stream);
    else if (strchr("'`^~", *text) != NULL)
        fputs(*text == '\''  ? "\\(aq"
              : *text == '`' ? "\\(ga"
              : *text == '^' ? "\\(ha"
                             : "\\(ti",
              stream);
    else
        fputc(*text, stream);
    return AM_MAX(bytes, 1);
}

/* Words are literal when they begin with a dash or look like numbers and files: their dashes are
 * those that are typed. */
static bool is_literal(const char *word)
{
    return strncmp(word, "--", 2) == 0 || strpbrk(word, "0123456789._/$") != NULL;
}

static void put_words(const char *text, bool literal, FILE *stream)
{
    bool start = true, own = literal;
    if (strchr(".'", *text) != NULL && *text != '\0')
        fputs("\\&", stream); /* no request at the start of a line */
    while (*text != '\0') {
        if (start) {
            char word[64];
            snprintf(word, sizeof word, "%.*s", (int)strcspn(text, " "), text);
            own = literal || is_literal(word);
        }
        start = *text == ' ';
        text += put_character(text, own, stream);
    }
}

static void put_line(const char *text, FILE *stream)
{
    put_words(text, false, stream);
    fputc('\n', stream);
}

/* ".RE" ends what ".RS" indents: a line that is typed. */
static void put_example(const command *cmd, const char *words, FILE *stream)
{
    fputs(".PP\n.RS 4\n.nf\n", stream);
    fprintf(stream, "amortune %s ", cmd->name);
    put_words(words, true, stream);
    fputs("\n.fi\n.RE\n", stream);
}

static void put_items(const char *heading, const help_item *item, FILE *stream)
{
    fprintf(stream, ".SH %s\n", heading);
    for (; item->name != NULL; item++) {
        fputs(".TP\n.B ", stream);
        put_words(item->name, true, stream);
        fputc('\n', stream);
        put_line(item->meaning, stream);
    }
}

/* ---- options ----------------------------------------------------------------------------------- */

/* What it takes, its default, whether it must be given, and the experiments that take it. */
static void put_terms(const option *o, const command *cmd, FILE *stream)
{
    char limits[256];
    option_limits_text(o, limits, sizeof limits);
    if (o->kind != OPTION_FLAG && o->kind != OPTION_TEXT) {
        fputs("Takes ", stream);
        put_words(limits, true, stream);
        fputs(".\n", stream);
    }
    if (o->fallback != NULL) {
        fputs("Default:\n.BR ", stream);
        put_words(o->fallback, true, stream);
        fputs(" .\n", stream);
    }
    if (cmd != NULL && (o->required & cmd->bit) != 0)
        fputs("Required.\n", stream);
    if (cmd == NULL || cmd->bit != CMD_EXPERIMENT)
        return;
    const char *before = "Experiments that take it: ";
    for (const experiment *e = experiment_table; e->name != NULL; e++)
        if (experiment_takes(e, o->name)) {
            fputs(before, stream);
            put_words(e->name, true, stream);
            before = ", ";
        }
    if (*before == ',')
        fputs(".\n", stream);
}

static void put_option(const option *o, const command *cmd, FILE *stream)
{
    fputs(".TP\n.BR ", stream);
    fputs("\\-\\-", stream);
    put_words(o->name, true, stream);
    if (o->metavar != NULL) {
        fputs(" \\ \\fI", stream);
        put_words(o->metavar, true, stream);
        fputs("\\fR", stream);
    }
    fputc('\n', stream);
    put_words(o->help, false, stream);
    fputs(".\n", stream);
    put_terms(o, cmd, stream);
}

/* The options of `cmd` that not all commands have, or, NULL, those that all have. */
static void put_options(const command *cmd, FILE *stream)
{
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        bool common = o->commands == CMD_ALL;
        if (cmd == NULL ? common : !common && (o->commands & cmd->bit) != 0)
            put_option(o, cmd, stream);
    }
}

/* ---- sections ---------------------------------------------------------------------------------- */

static void put_command(const command *cmd, FILE *stream)
{
    const help_text *text = help_text_of(cmd);
    fprintf(stream, ".SS amortune %s\n", cmd->name);
    fprintf(stream, ".B amortune %s\n.I ", cmd->name);
    put_words(cmd->arguments, true, stream);
    fputs("\n[options]\n.PP\n", stream);
    put_line(text != NULL ? text->description : cmd->summary, stream);
    put_example(cmd, cmd->example, stream);
    if (text != NULL && text->more != NULL)
        put_example(cmd, text->more, stream);
    put_options(cmd, stream);
    if (text != NULL && text->files != NULL) {
        fputs(".PP\nFiles: ", stream);
        put_line(text->files, stream);
    }
}

static void put_experiments(FILE *stream)
{
    fputs(".SH EXPERIMENTS\n", stream);
    for (const experiment *e = experiment_table; e->name != NULL; e++) {
        fputs(".TP\n.B ", stream);
        put_words(e->name, true, stream);
        fputc('\n', stream);
        put_words(e->summary, false, stream);
        fputs(".\n", stream);
    }
}

void help_man(FILE *stream)
{
    fprintf(stream, ".TH AMORTUNE 1 \"\" \"amortune %s\" \"User Commands\"\n", am_version());
    fputs(".SH NAME\namortune \\- one generator of network weights in place of a grid of training "
          "runs\n.SH SYNOPSIS\n",
          stream);
    for (const command *c = command_table; c->name != NULL; c++) {
        fprintf(stream, ".B amortune %s\n.I ", c->name);
        put_words(c->arguments, true, stream);
        fputs("\n[options]\n.br\n", stream);
    }
    fputs(".B amortune help\n.RI [ COMMAND ]\n.br\n.B amortune help \\-\\-man\n.br\n"
          ".B amortune help \\-\\-completion bash\n.br\n.B amortune \\-\\-version\n"
          ".SH DESCRIPTION\n",
          stream);
    put_line(help_about, stream);
    put_line(help_streams, stream);
    fputs(".SH COMMANDS\n", stream);
    for (const command *c = command_table; c->name != NULL; c++)
        put_command(c, stream);
    fputs(".SH OPTIONS OF EVERY COMMAND\n", stream);
    put_options(NULL, stream);
    put_experiments(stream);
    put_items("EXIT STATUS", help_exit_codes, stream);
    put_items("ENVIRONMENT", help_environment, stream);
    put_items("FILES", help_files, stream);
    fputs(".SH SEE ALSO\nH. Lopes, N. Polson, V. Sokolov (2025),\n"
          ".IR \"Generative Bayesian Hyperparameter Tuning\" .\n",
          stream);
}
