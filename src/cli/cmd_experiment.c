/* amortune experiment NAME — reproduce a published experiment. */
#include "cli/commands.h"
#include "cli/experiments/experiments.h"

#include <string.h>

am_status command_experiment(const settings *set, am_error *err)
{
    char known[256] = "";
    for (const experiment *e = experiment_table; e->name != NULL; e++) {
        if (strcmp(set->argument[0], e->name) == 0)
            return e->run(set, err);
        strncat(known, e > experiment_table ? ", " : "", sizeof known - strlen(known) - 1);
        strncat(known, e->name, sizeof known - strlen(known) - 1);
    }
    return am_fail(err, AM_ERR_USAGE, "experiment '%s': not known; there are: %s", set->argument[0],
                   known);
}
