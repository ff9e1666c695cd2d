/* The start-up print: one paragraph a group, in the words of the command line; only what the run
 * uses. */
#include "cli/option.h"

#include <stdlib.h>

enum { SETTINGS_COLUMN = 13 };

static bool is_shown(const settings *s, const command *cmd, const option *o)
{
    if (!(o->commands & cmd->bit))
        return false;
    if (o->group != GROUP_COMMON && cmd->uses != NULL && !cmd->uses(s, o->name))
        return false;
    return o->kind != OPTION_FLAG || *(const bool *)((const char *)s + o->field);
}

static void print_setting(const settings *s, const option *o, wrapper *w)
{
    char *value = option_value_text(s, o);
    if (value == NULL)
        return;
    if (w->column == 0)
        w->column = fprintf(w->stream, "  %s", option_group_name(o->group));
    char *word =
        o->kind == OPTION_FLAG ? am_format("--%s", o->name) : am_format("--%s %s", o->name, value);
    if (word != NULL)
        wrap_word(w, word);
    free(word);
    free(value);
}

void settings_print(const settings *s, const command *cmd, FILE *stream)
{
    if (s->quiet)
        return;
    fprintf(stream, "amortune %s %s", am_version(), cmd->name);
    for (int i = 0; i < s->argument_count; i++)
        fprintf(stream, " %s", s->argument[i]);
    fputc('\n', stream);
    for (int g = 0; g < GROUP_COUNT; g++) {
        wrapper w = {.stream = stream, .indent = SETTINGS_COLUMN};
        for (int i = 0; i < option_count; i++)
            if ((int)option_table[i].group == g && is_shown(s, cmd, &option_table[i]))
                print_setting(s, &option_table[i], &w);
        if (w.column > 0)
            fputc('\n', stream);
    }
}
