/* Completion for bash: one function whose words come from the tables when it is printed. */
#include "cli/commands.h"
#include "cli/experiments/experiments.h"
#include "cli/help.h"

#include <string.h>

/* "a|b|c" → "a b c" */
static void put_choices(const char *choices, FILE *stream)
{
    for (; *choices != '\0'; choices++)
        fputc(*choices == '|' ? ' ' : *choices, stream);
}

static bool seen_before(int row, unsigned bit)
{
    for (int i = 0; i < row; i++)
        if ((option_table[i].commands & bit) && option_table[i].kind == OPTION_CHOICE &&
            strcmp(option_table[i].name, option_table[row].name) == 0)
            return true;
    return false;
}

/* What may follow options with a set of words, by "command --option". */
static void put_values(FILE *stream)
{
    fputs("    case \"${COMP_WORDS[1]} $before\" in\n", stream);
    for (const command *c = command_table; c->name != NULL; c++)
        for (int i = 0; i < option_count; i++) {
            const option *o = &option_table[i];
            if (!(o->commands & c->bit) || o->kind != OPTION_CHOICE || seen_before(i, c->bit))
                continue;
            fprintf(stream, "    '%s --%s') words='", c->name, o->name);
            put_choices(o->limit.choices, stream);
            fputs("' ;;\n", stream);
        }
    fputs("    esac\n", stream);
}

static void put_options(const command *cmd, FILE *stream)
{
    for (int i = 0; i < option_count; i++)
        if (option_table[i].commands & cmd->bit)
            fprintf(stream, " --%s", option_table[i].name);
}

/* The options of a command, or for experiment's first argument the names. */
static void put_commands(FILE *stream)
{
    fputs("    case \"${COMP_WORDS[1]}\" in\n", stream);
    for (const command *c = command_table; c->name != NULL; c++) {
        fprintf(stream, "    %s) words='", c->name);
        if (c->bit == CMD_EXPERIMENT)
            for (const experiment *e = experiment_table; e->name != NULL; e++)
                fprintf(stream, "%s ", e->name);
        fputs("--help", stream);
        put_options(c, stream);
        fputs("' ;;\n", stream);
    }
    fputs("    help) words='--man --completion", stream);
    for (const command *c = command_table; c->name != NULL; c++)
        fprintf(stream, " %s", c->name);
    fputs("' ;;\n    esac\n", stream);
}

void help_completion_bash(FILE *stream)
{
    fputs("# completion of amortune for bash\n"
          "_amortune()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W 'help --help --version",
          stream);
    for (const command *c = command_table; c->name != NULL; c++)
        fprintf(stream, " %s", c->name);
    fputs("' -- \"$word\"))\n        return\n    fi\n", stream);
    put_values(stream);
    fputs("    if [[ -n $words ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n        return\n    fi\n",
          stream);
    put_commands(stream);
    fputs("    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "    [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- \"$word\"))\n"
          "    return 0\n"
          "}\n"
          "complete -o filenames -F _amortune amortune\n",
          stream);
}
