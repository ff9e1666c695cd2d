/* choosing — how the settings choose λ, as tune, sample and export share it. */
#ifndef AM_CLI_CHOOSING_H
#define AM_CLI_CHOOSING_H

#include "api/choosing.h"
#include "cli/session.h"

metric_kind choosing_metric(const settings *set);
select_kind choosing_rule(const settings *set);
/* The λ of --lambda, or, without it, the one that tuning chooses. */
am_status choose_lambda(session *s, const settings *set, selection *choice, am_error *err);

#endif
