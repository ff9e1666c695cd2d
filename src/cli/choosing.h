/* choosing — a curve and the λ chosen from it, as tune, sample and export share them. */
#ifndef AM_CHOOSING_H
#define AM_CHOOSING_H

#include "cli/session.h"

metric_kind choosing_metric(const settings *set);
select_kind choosing_rule(const settings *set);
/* The λ of --lambda, or, without it, the one that tuning chooses. */
am_status choose_lambda(session *s, const settings *set, selection *choice, am_error *err);

#endif
