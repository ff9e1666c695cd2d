/* recipe — the settings that a fit or refit gets where the user gives none, chosen by measurement on
 * MNIST (README, "How it works"; bench/mnist). A zero in the settings means: by the recipe. */
#ifndef AM_RECIPE_H
#define AM_RECIPE_H

#include "train/train.h"

/* The family: Chebyshev of degree 5 for one λ, less for more; a split network when ω enters. */
const char *recipe_features(bool sees_omega, int groups);

/* Fills draws, sets, rate, betas, stretch, tilt and warm-up of a fit with `rank` = R features and known steps. */
void recipe_fit(fit_settings *fit, int rank);

/* Coarse to fine: the family, the first stage of a fit whose other settings are known, and the knee. */
const char *recipe_coarse_features(void);
coarse_stage recipe_coarse(const fit_settings *fit);
double recipe_knee(double lambda_low, double lambda_high);

/* Supervised and hybrid mode: fills labels, rounds, share and the labels' optimiser; before recipe_fit,
 * which is then for the steps in criterion mode. */
void recipe_labels(fit_settings *fit, int rank, bool sees_omega);

/* The response to weights of this kind after so many steps (response.h). */
response_settings recipe_response(omega_kind weights, int64_t steps);

/* The same for refits from scratch: rate, betas and warm-up. */
void recipe_refit(optimiser *adam, int64_t steps);

#endif
