/* amortune — train one generator g(λ, ω) → θ of network weights, then read off the whole tuning
 * curve, the best λ and the posterior uncertainty. Method: Lopes, Polson, Sokolov (2025),
 * "Generative Bayesian Hyperparameter Tuning".
 *
 * The library never prints and never exits. Every function that can fail returns am_status and
 * writes one line into am_error: what failed, why, and what to do. */
#ifndef AMORTUNE_H
#define AMORTUNE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AM_VERSION "0.1.0"

typedef enum am_status {
    AM_OK = 0,
    AM_ERR_USAGE,     /* an option or argument is wrong */
    AM_ERR_INPUT,     /* data or a model file is wrong, missing or damaged */
    AM_ERR_IO,        /* something could not be read or written: permissions, full disk */
    AM_ERR_MEMORY,    /* out of memory */
    AM_ERR_DEVICE,    /* no such device, or the device failed */
    AM_ERR_DIVERGED,  /* training produced values that are not finite */
    AM_ERR_INTERRUPT, /* stopped on request; a checkpoint was written */
    AM_ERR_INTERNAL   /* a defect of this library */
} am_status;

typedef struct am_error {
    am_status status;
    char message[480]; /* one line, no newline at the end */
} am_error;

/* "0.1.0" */
const char *am_version(void);
/* Short name of a status, "input"; never NULL. */
const char *am_status_name(am_status status);

#ifdef __cplusplus
}
#endif
#endif
