#include "cli/experiments/experiments.h"

const experiment experiment_table[] = {
    {"mnist", "tuning curve, chosen λ, refits and ledger on MNIST", experiment_mnist},
    {.name = NULL},
};
