/* fitting — one small run of the generator's training, from data to fitted parameters, as the
 * commands do it. */
#ifndef AM_TEST_FITTING_H
#define AM_TEST_FITTING_H

#include "support/problem.h"
#include "train/model_file.h"

/* What differs between the runs under test. */
typedef struct {
    const char *name, *features;
    descent_kind descent;
    plan_kind plan;
    lambda_kind nodes;
    int sets;
    omega_kind weights;
    bool omega0, per_layer;
    int networks;
    int response; /* nodes */
    fit_mode mode;
    int response_draws; /* 0: the response is to the blocks */
    bool coarse;        /* half of the steps with degree 1, three draws and five rows */
} recipe;

/* Every way of training: both descents, both plans, with and without ω and a feature network. */
extern const recipe recipes[];
extern const int recipe_count;

typedef struct {
    device d;
    problem p;
    model_record record; /* of the run: spec and settings */
    generator g;
    generator_fit *f;
} fitting;

/* 6-5-3 on 40 rows in 4 blocks, B = 8, M = 4; the generator is initialised. */
void fitting_open(fitting *r, const recipe *k, int64_t steps, int threads);
/* The same for a spec and settings of the caller's, on `rows` rows. */
void fitting_open_with(fitting *r, const generator_spec *spec, const fit_settings *settings,
                       int64_t rows, int threads);
void fitting_close(fitting *r);

fit_settings settings_of(const recipe *k, int64_t steps);

/* The parameters as bytes owned by the device; their number in *size. */
char *fitting_params(fitting *r, size_t *size);
/* Two runs hold the same bytes: in their parameters, and in the optimiser's state as well. */
bool fitting_same_params(fitting *a, fitting *b);
bool fitting_same(fitting *a, fitting *b);

/* For train_hooks: {.context = &point, .stop = stop_here} stops the run when so many steps are
 * done.
 */
typedef struct {
    const fitting *r;
    int64_t step;
} stop_point;
bool stop_here(void *stop_point);

#endif
