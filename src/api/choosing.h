/* choosing — the λ that results are for: given, or chosen by tuning. */
#ifndef AM_CHOOSING_H
#define AM_CHOOSING_H

#include "api/session.h"

/* "grid", "one-se", "gradient" and "nll", "accuracy", ended by NULL, in the enums' order. */
extern const char *const select_names[], *const metric_names[];

/* AM_ERR_USAGE when the model has no such metric. */
am_status choice_check_metric(const session *s, metric_kind metric, am_error *err);
/* lambda (G), each within the range that the model was fitted on. */
am_status choice_given(const session *s, const double *lambda, selection *choice, am_error *err);
/* What `tune` would choose, from a curve of 20 points. */
am_status choice_tuned(session *s, select_kind rule, metric_kind metric, selection *choice,
                       am_error *err);

#endif
