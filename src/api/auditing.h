/* auditing — the audit that `audit`, am_audit and the experiments ask for. */
#ifndef AM_AUDITING_H
#define AM_AUDITING_H

#include "api/session.h"
#include "tune/audit.h"

/* Of the session's generator, by refits as long as its fit; sample, points, repeats, draws, λ, seed,
 * cache and hooks are the caller's to set. */
audit_request auditing_request(const session *s);
/* The λ at which a posterior is looked at unless it is said otherwise; returns how many. */
int auditing_places(const generator_spec *spec, double lambda[AUDIT_MOST_LAMBDAS]);

#endif
