/* experiments — the published experiments, one file each; experiments.c is their table. */
#ifndef AM_EXPERIMENTS_H
#define AM_EXPERIMENTS_H

#include "cli/cli.h"

typedef struct {
    const char *name, *summary;
    /* The options that this experiment takes beyond the common ones, by long name, parted by
     * blanks. Others of the command are refused when given: no option is silently ignored. */
    const char *options;
    am_status (*run)(const settings *set, am_error *err);
    bool backend; /* computes on a backend: --device and --precision choose; else CPU, double */
} experiment;

/* Ended by a NULL name. */
extern const experiment experiment_table[];

/* The experiment of this name; NULL: there is none. */
const experiment *experiment_find(const char *name);
/* Whether it takes the option of this long name. */
bool experiment_takes(const experiment *e, const char *option);

am_status experiment_mnist(const settings *set, am_error *err);
am_status experiment_toy(const settings *set, am_error *err);
am_status experiment_ridge(const settings *set, am_error *err);
am_status experiment_double_descent(const settings *set, am_error *err);
am_status experiment_student_t(const settings *set, am_error *err);
am_status experiment_quantile(const settings *set, am_error *err);
am_status experiment_svm(const settings *set, am_error *err);

#endif
