#include "cli/paging.h"

#include "cli/commands.h"
#include "cli/option.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

report_request paging_request(const settings *set, const char *results)
{
    return (report_request){.results = results,
                            .device_name = set->device,
                            .threads = (int)set->threads,
                            .precision = set->precision};
}

/* ---- the command ----------------------------------------------------------------------------------- */

/* A word as a shell reads it back: in quotes unless it is plain. */
static void put_word(FILE *stream, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fprintf(stream, " %s", word);
        return;
    }
    fputs(" '", stream);
    for (const char *c = word; *c != '\0'; c++)
        fputs(*c == '\'' ? "'\\''" : (char[]){*c, '\0'}, stream);
    fputc('\'', stream);
}

static bool put_option(FILE *stream, const settings *set, const option *o)
{
    char *value = option_value_text(set, o);
    if (value == NULL)
        return false;
    if (o->kind == OPTION_FLAG && strcmp(value, "true") == 0)
        fprintf(stream, " --%s", o->name);
    if (o->kind != OPTION_FLAG) {
        fprintf(stream, " --%s", o->name);
        put_word(stream, value);
    }
    free(value);
    return true;
}

/* How results are shown says nothing of what they are. */
static bool is_part(const option *o)
{
    static const char *const other[] = {"quiet", "json", "config", "resume", "plot"};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (strcmp(o->name, other[i]) == 0)
            return false;
    return true;
}

char *paging_command(const settings *set, const char *command_name)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    fprintf(stream, "amortune %s", command_name);
    for (int i = 0; i < set->argument_count; i++)
        put_word(stream, set->argument[i]);
    for (int i = 0; i < option_count; i++)
        if (set->given[i] && is_part(&option_table[i]))
            (void)put_option(stream, set, &option_table[i]);
    return fclose(stream) == 0 ? text : NULL;
}

/* ---- run.json --------------------------------------------------------------------------------------- */

static void add_settings(cJSON *run, const settings *set, const command *cmd)
{
    cJSON *list = cJSON_AddObjectToObject(run, "settings");
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        bool used = (o->commands & cmd->bit) != 0 && is_part(o) &&
                    (o->group == GROUP_COMMON || cmd->uses == NULL || cmd->uses(set, o->name));
        char *value = used ? option_value_text(set, o) : NULL;
        if (value != NULL)
            cJSON_AddStringToObject(list, o->name, value);
        free(value);
    }
}

static void add_environment(cJSON *run)
{
    static const char *const names[] = {"OMP_NUM_THREADS", "OPENBLAS_CORETYPE"};
    cJSON *o = cJSON_AddObjectToObject(run, "environment");
    struct utsname system;
    cJSON_AddStringToObject(o, "amortune", AM_VERSION);
    cJSON_AddStringToObject(o, "compiler", __VERSION__);
    if (uname(&system) == 0) {
        char *text = am_format("%s %s %s", system.sysname, system.release, system.machine);
        cJSON_AddStringToObject(o, "system", text != NULL ? text : system.sysname);
        free(text);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]) != NULL)
            cJSON_AddStringToObject(o, names[i], getenv(names[i]));
}

static am_status write_run(const settings *set, const command *cmd, const char *folder,
                           am_error *err)
{
    cJSON *run = cJSON_CreateObject();
    char *line = paging_command(set, cmd->name), *path = output_path(folder, "run.json");
    am_status status =
        run && line && path ? AM_OK : am_fail(err, AM_ERR_MEMORY, "%s: out of memory", folder);
    if (status == AM_OK) {
        cJSON_AddStringToObject(run, "command", line);
        add_settings(run, set, cmd);
        add_environment(run);
        status = json_write(path, run, err);
    }
    cJSON_Delete(run);
    free(line);
    free(path);
    return status;
}

am_status paging_write(const settings *set, const command *cmd, const char *folder, am_error *err)
{
    AM_TRY(write_run(set, cmd, folder, err));
    if (!html_available()) {
        progress_note(
            set,
            "%s/report.html was not written: this build carries no chart library; install "
            "Debian's libjs-chart.js and build again",
            folder);
        return AM_OK;
    }
    char *path = output_path(folder, "report.html");
    if (path == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: out of memory", folder);
    report_request request = paging_request(set, folder);
    am_status status = report_run(&request, path, err);
    if (status == AM_OK)
        progress_note(set, "report: %s", path);
    free(path);
    return status;
}
