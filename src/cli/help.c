#include "cli/commands.h"
#include "cli/experiments/experiments.h"
#include "cli/option.h"

#include <string.h>

enum { HELP_COLUMN = 29, EXPERIMENT_COLUMN = 18 }; /* where explanations begin */

/* "what it does (a|b|c) [a]" */
static void explain(const option *o, const command *cmd, wrapper *w)
{
    char note[128];
    wrap_text(w, o->help);
    if (o->kind == OPTION_CHOICE) {
        snprintf(note, sizeof note, "(%s)", o->limit.choices);
        wrap_word(w, note);
    }
    if (o->fallback != NULL) {
        snprintf(note, sizeof note, "[%s]", o->fallback);
        wrap_word(w, note);
    }
    if (cmd != NULL && o->required & cmd->bit)
        wrap_word(w, "(required)");
}

static void print_option(const option *o, const command *cmd, FILE *stream)
{
    wrapper w = {.stream = stream, .indent = HELP_COLUMN};
    w.column =
        fprintf(stream, "  --%s%s%s", o->name, o->metavar ? " " : "", o->metavar ? o->metavar : "");
    if (w.column >= HELP_COLUMN) {
        fputc('\n', stream);
        w.column = 0;
    }
    explain(o, cmd, &w);
    fputc('\n', stream);
}

/* The group's options that all of `commands` take. */
static void print_group(option_group group, const command *cmd, unsigned commands, FILE *stream)
{
    bool any = false;
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        if (o->group != group || (o->commands & commands) != commands)
            continue;
        if (!any && cmd != NULL)
            fprintf(stream, "\n%s\n", option_group_name(group));
        any = true;
        print_option(o, cmd, stream);
    }
}

/* Every experiment, what it shows, and the options that it takes beyond the common ones. */
static void print_experiments(FILE *stream)
{
    fputs("\nexperiments\n", stream);
    for (const experiment *e = experiment_table; e->name != NULL; e++) {
        wrapper w = {.stream = stream, .indent = EXPERIMENT_COLUMN};
        w.column = fprintf(stream, "  %-*s", EXPERIMENT_COLUMN - 3, e->name);
        wrap_text(&w, e->summary);
        wrap_text(&w, *e->options != '\0' ? "— takes" : "");
        for (int i = 0; i < option_count; i++) {
            char word[64];
            const option *o = &option_table[i];
            if (!(o->commands & CMD_EXPERIMENT) || !experiment_takes(e, o->name))
                continue;
            snprintf(word, sizeof word, "--%s", o->name);
            wrap_word(&w, word);
        }
        fputc('\n', stream);
    }
}

static void command_help(const command *cmd, FILE *stream)
{
    fprintf(stream, "amortune %s — %s\n", cmd->name, cmd->summary);
    fprintf(stream, "\nusage\n  amortune %s %s [options]\n", cmd->name, cmd->arguments);
    fprintf(stream, "\nexample\n  amortune %s %s\n", cmd->name, cmd->example);
    for (int g = 0; g < GROUP_COUNT; g++)
        print_group((option_group)g, cmd, cmd->bit, stream);
    if (cmd->bit == CMD_EXPERIMENT)
        print_experiments(stream);
    fputs("\nDefaults are in brackets.\n", stream);
}

static void general_help(FILE *stream)
{
    static const char closing[] =
        "Results go to stdout, progress and messages to stderr. Exit status: 0 success, 1 the work "
        "failed, 2 wrong usage or bad input, 130 interrupted. Environment: AMORTUNE_DATA is a "
        "folder of data sets by name; NO_COLOR turns colours off.";
    unsigned all = 0;
    fprintf(stream,
            "amortune %s — one generator of network weights in place of a grid of training runs\n"
            "\nusage\n"
            "  amortune COMMAND [arguments] [options]\n"
            "  amortune help COMMAND\n"
            "  amortune --version\n"
            "\ncommands\n",
            am_version());
    for (const command *c = command_table; c->name != NULL; c++) {
        fprintf(stream, "  %-12s %s\n", c->name, c->summary);
        all |= c->bit;
    }
    fputs("\noptions of every command\n", stream);
    for (int g = 0; g < GROUP_COUNT; g++)
        print_group((option_group)g, NULL, all, stream);
    wrapper w = {.stream = stream};
    fputc('\n', stream);
    wrap_text(&w, closing);
    fputc('\n', stream);
}

void help_print(const command *cmd, FILE *stream)
{
    if (cmd != NULL)
        command_help(cmd, stream);
    else
        general_help(stream);
}
