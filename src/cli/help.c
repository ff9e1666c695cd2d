#include "cli/help.h"

#include "cli/commands.h"
#include "cli/experiments/experiments.h"

#include <string.h>

enum { HELP_COLUMN = 29, EXPERIMENT_COLUMN = 18 }; /* where explanations begin */

/* "— mnist, toy": the experiments that take an option of the command experiment. */
static void name_takers(const option *o, wrapper *w)
{
    const experiment *last = NULL;
    for (const experiment *e = experiment_table; e->name != NULL; e++)
        if (experiment_takes(e, o->name))
            last = e;
    if (last != NULL)
        wrap_word(w, "—");
    for (const experiment *e = experiment_table; last != NULL && e <= last; e++) {
        char word[64];
        snprintf(word, sizeof word, "%s%s", e->name, e == last ? "" : ",");
        if (experiment_takes(e, o->name))
            wrap_word(w, word);
    }
}

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
    if (cmd != NULL && cmd->bit == CMD_EXPERIMENT && o->group != GROUP_COMMON)
        name_takers(o, w);
}

static void print_option(const option *o, const command *cmd, FILE *stream)
{
    char head[96];
    wrapper w = {.stream = stream, .indent = HELP_COLUMN};
    snprintf(head, sizeof head, "  --%s%s%s", o->name, o->metavar ? " " : "",
             o->metavar ? o->metavar : "");
    fputs(head, stream);
    w.column = text_width(head);
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

/* A paragraph under a heading, or without one where it is NULL. */
static void print_paragraph(const char *heading, const char *text, FILE *stream)
{
    wrapper w = {.stream = stream, .indent = 2};
    fprintf(stream, "\n%s%s", heading != NULL ? heading : "", heading != NULL ? "\n" : "");
    wrap_text(&w, text);
    fputc('\n', stream);
}

/* Names and their meanings under a heading. */
static void print_items(const char *heading, const help_item *item, FILE *stream)
{
    fprintf(stream, "\n%s\n", heading);
    for (; item->name != NULL; item++) {
        wrapper w = {.stream = stream, .indent = HELP_COLUMN};
        w.column = fprintf(stream, "  %s", item->name);
        if (w.column >= HELP_COLUMN) {
            fputc('\n', stream);
            w.column = 0;
        }
        wrap_text(&w, item->meaning);
        fputc('\n', stream);
    }
}

static void command_help(const command *cmd, FILE *stream)
{
    const help_text *text = help_text_of(cmd);
    fprintf(stream, "amortune %s — %s\n", cmd->name, cmd->summary);
    fprintf(stream, "\nusage\n  amortune %s %s [options]\n", cmd->name, cmd->arguments);
    if (text != NULL)
        print_paragraph("description", text->description, stream);
    fprintf(stream, "\nexample\n  amortune %s %s\n", cmd->name, cmd->example);
    if (text != NULL && text->more != NULL)
        fprintf(stream, "  amortune %s %s\n", cmd->name, text->more);
    for (int g = 0; g < GROUP_COUNT; g++)
        print_group((option_group)g, cmd, cmd->bit, stream);
    if (cmd->bit == CMD_EXPERIMENT)
        print_experiments(stream);
    if (text != NULL && text->files != NULL)
        print_paragraph("files", text->files, stream);
    print_items("exit status", help_exit_codes, stream);
    print_items("environment", help_environment, stream);
    fputs("\nDefaults are in brackets.\n", stream);
}

static void general_help(FILE *stream)
{
    unsigned all = 0;
    fprintf(stream,
            "amortune %s — one generator of network weights in place of a grid of training runs\n"
            "\nusage\n"
            "  amortune COMMAND [arguments] [options]\n"
            "  amortune help COMMAND            its options with defaults, examples, files\n"
            "  amortune help --man              this program's man page\n"
            "  amortune help --completion bash  completion for the shell\n"
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
    print_items("exit status", help_exit_codes, stream);
    print_items("environment", help_environment, stream);
    fprintf(stream, "\n%s\n", help_streams);
}

void help_print(const command *cmd, FILE *stream)
{
    if (cmd != NULL)
        command_help(cmd, stream);
    else
        general_help(stream);
}
