/* Command line → settings: the table's defaults, then the file of --config, then the options. */
#include "cli/option.h"

#include <stdlib.h>
#include <string.h>

/* What the command line assigns, in its order. */
typedef struct {
    const option *o;
    const char *text;
} assignment;

typedef struct {
    int argc;
    char **argv;
    int at; /* argument that is looked at */
    const command *cmd;
    settings *s;
    assignment *assigned; /* (argc) */
    int assigned_count;
    am_error *err;
} scan;

/* "--seed", "-h"; but "-1", "-.5" and "-" are values. */
static bool is_option(const char *arg)
{
    return arg[0] == '-' && arg[1] != '\0' && arg[1] != '.' && !(arg[1] >= '0' && arg[1] <= '9');
}

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* ---- the scan: which option gets which text ----------------------------------------------------
 */

/* The text behind an option without "=": "true" for a flag, else the next argument. A value that
 * looks like an option is forgotten far more often than meant; "--out=--x" says that it is meant.
 */
static am_status next_value(scan *p, const option *o, const char **text)
{
    *text = "true";
    if (o->kind == OPTION_FLAG)
        return AM_OK;
    const char *next = p->at + 1 < p->argc ? p->argv[p->at + 1] : NULL;
    if (next == NULL || is_option(next))
        return am_fail(p->err, AM_ERR_USAGE, "--%s needs a value; give --%s %s", o->name, o->name,
                       o->metavar);
    p->at++;
    *text = next;
    return AM_OK;
}

static am_status scan_option(scan *p)
{
    const char *arg = p->argv[p->at];
    if (arg[1] != '-')
        return am_fail(p->err, AM_ERR_USAGE,
                       "unknown option %s; options begin with two dashes, amortune %s --help lists "
                       "them",
                       arg, p->cmd->name);
    const char *name = arg + 2, *text;
    size_t length = strcspn(name, "=");
    const option *o;
    AM_TRY(option_find(p->cmd, NULL, name, length, &o, p->err));
    if (name[length] == '=')
        text = name + length + 1;
    else
        AM_TRY(next_value(p, o, &text));
    p->assigned[p->assigned_count++] = (assignment){.o = o, .text = text};
    return AM_OK;
}

static am_status usage_fault(const command *cmd, const char *fault, am_error *err)
{
    return am_fail(err, AM_ERR_USAGE, "%s; usage: amortune %s %s [options]", fault, cmd->name,
                   cmd->arguments);
}

static am_status scan_argument(scan *p)
{
    settings *s = p->s;
    const char *arg = p->argv[p->at];
    if (s->argument_count == p->cmd->most) {
        char fault[160];
        snprintf(fault, sizeof fault, "'%.80s' is one argument too many for %s", arg, p->cmd->name);
        return usage_fault(p->cmd, fault, p->err);
    }
    char *copy = am_strdup(arg, p->err);
    if (copy == NULL)
        return AM_ERR_MEMORY;
    s->argument[s->argument_count++] = copy;
    return AM_OK;
}

static am_status scan_arguments(scan *p)
{
    bool options = true;
    for (; p->at < p->argc; p->at++) {
        const char *arg = p->argv[p->at];
        if (options && strcmp(arg, "--") == 0)
            options = false;
        else if (options && is_option(arg))
            AM_TRY(scan_option(p));
        else
            AM_TRY(scan_argument(p));
    }
    return AM_OK;
}

/* ---- settings -----------------------------------------------------------------------------------
 */

static bool reaches(const command *cmd, size_t field)
{
    for (int i = 0; i < option_count; i++)
        if (option_table[i].commands & cmd->bit && option_table[i].field == field)
            return true;
    return false;
}

/* A field that no row of cmd reaches gets the default of another command's row: experiment fits
 * with the defaults of fit. */
static am_status apply_defaults(settings *s, const command *cmd, am_error *err)
{
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        bool own = (o->commands & cmd->bit) != 0;
        if (o->fallback != NULL && (own || !reaches(cmd, o->field)))
            AM_TRY(option_set(s, o, NULL, o->fallback, err));
    }
    return AM_OK;
}

static am_status apply_config(const scan *p)
{
    const char *path = NULL;
    for (int i = 0; i < p->assigned_count; i++)
        if (strcmp(p->assigned[i].o->name, "config") == 0)
            path = p->assigned[i].text;
    return path != NULL ? config_apply(p->s, p->cmd, path, p->err) : AM_OK;
}

static am_status apply_options(const scan *p)
{
    for (int i = 0; i < p->assigned_count; i++) {
        const assignment *a = &p->assigned[i];
        AM_TRY(option_set(p->s, a->o, NULL, a->text, p->err));
        p->s->given[a->o - option_table] = true;
    }
    return AM_OK;
}

static am_status check_complete(const scan *p)
{
    char fault[160];
    if (p->s->argument_count < p->cmd->least) {
        snprintf(fault, sizeof fault, "%s needs %s", p->cmd->name, p->cmd->arguments);
        return usage_fault(p->cmd, fault, p->err);
    }
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        if (!(o->required & p->cmd->bit) || p->s->given[i])
            continue;
        snprintf(fault, sizeof fault, "%s needs --%s %s", p->cmd->name, o->name, o->metavar);
        return usage_fault(p->cmd, fault, p->err);
    }
    return AM_OK;
}

static am_status parse_command(scan *p)
{
    AM_TRY(scan_arguments(p));
    AM_TRY(apply_defaults(p->s, p->cmd, p->err));
    AM_TRY(apply_config(p));
    AM_TRY(apply_options(p));
    return check_complete(p);
}

/* ---- requests that run nothing ------------------------------------------------------------------
 */

/* --completion SHELL or --completion=SHELL */
static am_status parse_completion(int argc, char **argv, cli_request *request, am_error *err)
{
    const char *shell = argv[2] + strlen("--completion");
    shell = *shell == '=' ? shell + 1 : argc == 4 ? argv[3] : "";
    *request = ASK_COMPLETION;
    return strcmp(shell, "bash") == 0
               ? AM_OK
               : am_fail(err, AM_ERR_USAGE,
                         "--completion '%.40s': only bash is known; give --completion bash", shell);
}

/* amortune help [COMMAND | --man | --completion SHELL] */
static am_status parse_help(int argc, char **argv, const command **cmd, cli_request *request,
                            am_error *err)
{
    static const char completion[] = "--completion";
    if (argc > 2 && argc <= 4 && strncmp(argv[2], completion, strlen(completion)) == 0 &&
        strchr("=", argv[2][strlen(completion)]) != NULL)
        return parse_completion(argc, argv, request, err);
    if (argc > 3)
        return am_fail(err, AM_ERR_USAGE, "help takes one command; usage: amortune help [COMMAND]");
    if (argc == 3 && strcmp(argv[2], "--man") == 0) {
        *request = ASK_MAN;
        return AM_OK;
    }
    return argc == 3 && !is_help(argv[2]) ? command_find(argv[2], cmd, err) : AM_OK;
}

/* Whether help is asked for among the options; it then goes before any fault in them. */
static bool asks_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

am_status settings_parse(int argc, char **argv, settings *s, const command **cmd,
                         cli_request *request, am_error *err)
{
    *s = (settings){0};
    *cmd = NULL;
    *request = ASK_HELP;
    if (argc < 2 || is_help(argv[1]))
        return AM_OK;
    if (strcmp(argv[1], "help") == 0)
        return parse_help(argc, argv, cmd, request, err);
    *request = strcmp(argv[1], "--version") == 0 ? ASK_VERSION : ASK_RUN;
    if (*request == ASK_VERSION)
        return AM_OK;
    if (is_option(argv[1]))
        return am_fail(err, AM_ERR_USAGE,
                       "%s: the command comes first; usage: amortune COMMAND [options]", argv[1]);
    AM_TRY(command_find(argv[1], cmd, err));
    if (asks_help(argc, argv)) {
        *request = ASK_HELP;
        return AM_OK;
    }
    scan p = {.argc = argc, .argv = argv, .at = 2, .cmd = *cmd, .s = s, .err = err};
    p.assigned = am_alloc((size_t)argc, sizeof *p.assigned, "options", err);
    if (p.assigned == NULL)
        return AM_ERR_MEMORY;
    am_status status = parse_command(&p);
    free(p.assigned);
    return status;
}

void settings_free(settings *s)
{
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        if (o->kind != OPTION_TEXT && o->kind != OPTION_CHOICE)
            continue;
        char **text = (char **)(void *)((char *)s + o->field);
        free(*text);
        *text = NULL; /* other rows may have the same field */
    }
    for (int i = 0; i < s->argument_count; i++)
        free(s->argument[i]);
    *s = (settings){0};
}

bool settings_given(const settings *s, const char *name)
{
    for (int i = 0; i < option_count; i++)
        if (s->given[i] && strcmp(option_table[i].name, name) == 0)
            return true;
    return false;
}
