/* sampling — the posterior that `sample`, am_sample and the experiments ask for. */
#ifndef AM_SAMPLING_H
#define AM_SAMPLING_H

#include "api/session.h"

/* Steps of the short weighted refits that stand in for a posterior while the generator does not see
 * ω: a tenth of an epoch-5 MNIST run, at a tenth of its peak step size. */
enum { SAMPLING_STEPS = 200 };

/* Draws at λ (G), judged on the session's report rows. lambda must outlive the request. */
posterior_request sampling_request(session *s, const double *lambda, int draws);

#endif
