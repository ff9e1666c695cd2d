/* api_problem — a small data set in memory and what the tests of the public interface share. Asks
 * the library through amortune.h only. */
#ifndef AM_TEST_API_PROBLEM_H
#define AM_TEST_API_PROBLEM_H

#include <amortune.h>

enum {
    API_ROWS = 240,
    API_TRAIN = 200,
    API_VALIDATION = 40,
    API_INPUTS = 3,
    API_HIDDEN = 4,
    API_CLASSES = 2,
    API_PARAMS = (API_INPUTS + 1) * API_HIDDEN + (API_HIDDEN + 1) * API_CLASSES,
    API_BLOCKS = 8
};

/* Two noisy classes on the two sides of a plane; inputs of unequal scale. */
typedef struct {
    float x[API_ROWS][API_INPUTS];
    int32_t label[API_ROWS];
    float target[API_ROWS]; /* the distance from the plane, for regression */
} api_rows;
void api_rows_fill(api_rows *rows, uint32_t seed);

/* The rows as a data set, split 200 : 40; fails the test when it cannot be made. */
am_dataset *api_dataset(const api_rows *rows);
/* One CPU thread. */
am_device *api_device(void);
/* A 3-4-2 network, 60 steps of 8 draws × 20 rows, λ in 1e-4 .. 1e-1. */
am_fit_options api_fit_options(void);
am_model *api_fit(am_device *device, am_dataset *data, const am_fit_options *options);

/* Mean NLL and accuracy of θ (P) on the validation rows, in double, from the raw rows. */
typedef struct {
    double nll, accuracy;
} api_score;
api_score api_judge(const api_rows *rows, const am_dataset *data, const float *theta);
/* The same of the mean prediction of several networks. */
api_score api_judge_mean(const api_rows *rows, const am_dataset *data, int networks,
                         const float *const *theta);

/* Fails unless status is `want` and the message, one line, holds `text`. */
void api_expect(am_status status, const am_error *err, am_status want, const char *text);

#endif
