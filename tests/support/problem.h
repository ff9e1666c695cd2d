/* problem — small synthetic data sets and generators for the tests of model, train and tune. */
#ifndef AM_TEST_PROBLEM_H
#define AM_TEST_PROBLEM_H

#include "model/device_rows.h"
#include "model/generator.h"
#include "support/device.h"

/* Rows on host and device, each with its block. */
typedef struct {
    am_rows rows; /* floats; labels or targets; owned, like block */
    uint32_t *block;
    int64_t blocks;
    device_rows data;
} problem;

/* x uniform in [−1, 1]. Labels: the argmax of a random linear map plus noise; targets: that map's
 * values plus noise. Blocks are i mod K. */
problem problem_open(device *d, loss_kind loss, int64_t n, int inputs, int outputs, int64_t blocks,
                     uint64_t seed);
/* The device's copy again, after a change to rows or block. */
void problem_upload(device *d, problem *p);
void problem_close(problem *p);

/* λ in [1e-3, 1e-1], Dirichlet(1), seed 3; weights OMEGA_ONES: ω does not enter. */
generator_spec spec_of(const char *target_text, activation act, loss_kind loss,
                       const char *features_text, omega_kind weights, int64_t blocks);
/* Opens with room for `draws`, zero parameters; fails the test when that fails. */
generator generator_of(device *d, const generator_spec *spec, int draws);
/* Every parameter uniform in ±size. */
void generator_fill(device *d, generator *g, uint64_t seed, float size);
/* Θ (R,P), and φ, on the host; owned by the device. */
float *generator_head(device *d, const generator *g);
float *generator_phi(device *d, const generator *g);
void generator_set_head(generator *g, const float *head);

/* Uniform in [low, high]: the i-th number of a seed. */
double random_at(uint64_t seed, uint32_t i, double low, double high);

#endif
