/* amortune experiment NAME — reproduce a published experiment. */
#include "cli/experiment_mnist.h"

#include <string.h>

typedef struct {
    const char *name, *summary;
    am_status (*run)(const settings *set, am_error *err);
} experiment;

static const experiment experiment_table[] = {
    {"mnist", "tuning curve, chosen λ, refits and ledger on MNIST", experiment_mnist},
};

am_status command_experiment(const settings *set, am_error *err)
{
    char known[256] = "";
    for (size_t i = 0; i < sizeof experiment_table / sizeof *experiment_table; i++) {
        if (strcmp(set->argument[0], experiment_table[i].name) == 0)
            return experiment_table[i].run(set, err);
        strncat(known, i ? ", " : "", sizeof known - strlen(known) - 1);
        strncat(known, experiment_table[i].name, sizeof known - strlen(known) - 1);
    }
    return am_fail(err, AM_ERR_USAGE, "experiment '%s': not known; there are: %s", set->argument[0],
                   known);
}
