/* experiments — the published experiments, one file each; experiments.c is their table. */
#ifndef AM_EXPERIMENTS_H
#define AM_EXPERIMENTS_H

#include "cli/cli.h"

typedef struct {
    const char *name, *summary;
    am_status (*run)(const settings *set, am_error *err);
} experiment;

/* Ended by a NULL name. */
extern const experiment experiment_table[];

am_status experiment_mnist(const settings *set, am_error *err);

#endif
