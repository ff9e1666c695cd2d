/* amortune experiment NAME — reproduce a published experiment. */
#include "cli/commands.h"
#include "cli/experiments/experiments.h"
#include "cli/option.h"
#include "cli/paging.h"

#include <stdlib.h>
#include <string.h>

/* Appends `name` to a list "a, b, c". */
static void list_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

bool experiment_uses(const settings *s, const char *name)
{
    const experiment *e = s->argument_count > 0 ? experiment_find(s->argument[0]) : NULL;
    return e == NULL || experiment_takes(e, name);
}

/* An option that was given and would be ignored. */
static am_status refuse(const experiment *e, const char *name, am_error *err)
{
    char takers[256] = "";
    for (const experiment *other = experiment_table; other->name != NULL; other++)
        if (experiment_takes(other, name))
            list_name(takers, sizeof takers, other->name);
    return am_fail(err, AM_ERR_USAGE,
                   "--%s is no option of experiment %s; leave it out: experiments that take it: %s",
                   name, e->name, takers[0] != '\0' ? takers : "none");
}

static am_status check_options(const experiment *e, const settings *set, am_error *err)
{
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        if (set->given[i] && o->group != GROUP_COMMON && !experiment_takes(e, o->name))
            return refuse(e, o->name, err);
    }
    return AM_OK;
}

/* The classical experiments solve small systems in double precision. */
static am_status check_device(const experiment *e, const settings *set, am_error *err)
{
    bool gpu = set->device != NULL && strcmp(set->device, "cuda") == 0;
    bool low = set->precision != NULL && strcmp(set->precision, "fp32") != 0;
    if (e->backend || (!gpu && !low))
        return AM_OK;
    return am_fail(err, AM_ERR_USAGE,
                   "--%s %s: experiment %s computes in double precision on the CPU; leave it out",
                   gpu ? "device" : "precision", gpu ? set->device : set->precision, e->name);
}

/* What the run was, and the page of its results. */
static am_status write_page(const experiment *e, const settings *set, am_error *err)
{
    const command *own = command_table;
    while (own->bit != CMD_EXPERIMENT)
        own++;
    char *folder = am_format("results/%s", e->name);
    if (folder == NULL)
        return am_fail(err, AM_ERR_MEMORY, "results/%s: out of memory", e->name);
    am_status status = paging_write(set, own, out_or(set, folder), err);
    free(folder);
    return status;
}

am_status command_experiment(const settings *set, am_error *err)
{
    const experiment *e = experiment_find(set->argument[0]);
    char known[256] = "";
    if (e != NULL) {
        AM_TRY(check_options(e, set, err));
        AM_TRY(check_device(e, set, err));
        AM_TRY(e->run(set, err));
        return write_page(e, set, err);
    }
    for (e = experiment_table; e->name != NULL; e++)
        list_name(known, sizeof known, e->name);
    return am_fail(err, AM_ERR_USAGE, "experiment '%s': not known; there are: %s", set->argument[0],
                   known);
}
