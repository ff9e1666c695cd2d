/* Names → rows of the tables, with help for misspelt ones. */
#include "cli/option.h"

#include <string.h>

static bool is_named(const char *known, const char *name, size_t length)
{
    return strlen(known) == length && memcmp(known, name, length) == 0;
}

/* "fit, refit and experiment" */
static void list_commands(unsigned commands, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (const command *c = command_table; c->name != NULL && used < size; c++) {
        if (!(commands & c->bit))
            continue;
        commands &= ~c->bit;
        const char *before = used == 0 ? "" : commands == 0 ? " and " : ", ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", before, c->name);
    }
}

static am_status not_for_command(const command *cmd, const char *file, const char *name,
                                 unsigned commands, am_error *err)
{
    char list[128];
    list_commands(commands, list, sizeof list);
    const char *verb = strstr(list, " and ") ? "take" : "takes";
    return am_fail(err, AM_ERR_USAGE, "%s%s%s is no option of %s; only %s %s it", file ? file : "",
                   file ? ": " : "--", name, cmd->name, list, verb);
}

static am_status unknown(const command *cmd, const char *file, const char *name, size_t length,
                         am_error *err)
{
    suggestion near = {.typed = name, .length = length};
    for (int i = 0; i < option_count; i++)
        if (option_table[i].commands & cmd->bit)
            suggestion_offer(&near, option_table[i].name);
    const char *dashes = file ? "" : "--";
    char remedy[96];
    if (near.best != NULL)
        snprintf(remedy, sizeof remedy, "did you mean %s%s?", dashes, near.best);
    else
        snprintf(remedy, sizeof remedy, "amortune %s --help lists them", cmd->name);
    return am_fail(err, AM_ERR_USAGE, "%s%sunknown option %s%.*s; %s", file ? file : "",
                   file ? ": " : "", dashes, (int)AM_MIN(length, (size_t)1024), name, remedy);
}

am_status option_find(const command *cmd, const char *file, const char *name, size_t length,
                      const option **row, am_error *err)
{
    const option *found = NULL;
    unsigned elsewhere = 0; /* commands that take this name */
    for (int i = 0; i < option_count; i++) {
        if (!is_named(option_table[i].name, name, length))
            continue;
        found = &option_table[i];
        if (found->commands & cmd->bit) {
            *row = found;
            return AM_OK;
        }
        elsewhere |= found->commands;
    }
    if (found != NULL)
        return not_for_command(cmd, file, found->name, elsewhere, err);
    return unknown(cmd, file, name, length, err);
}

am_status command_find(const char *name, const command **cmd, am_error *err)
{
    suggestion near = {.typed = name, .length = strlen(name)};
    for (const command *c = command_table; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0) {
            *cmd = c;
            return AM_OK;
        }
        suggestion_offer(&near, c->name);
    }
    if (near.best != NULL)
        return am_fail(err, AM_ERR_USAGE, "unknown command '%s'; did you mean %s?", name,
                       near.best);
    return am_fail(err, AM_ERR_USAGE, "unknown command '%s'; amortune --help lists them", name);
}
