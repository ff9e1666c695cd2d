/* outside — rows that a model was not fitted to, as its posterior draws see them. */
#ifndef AM_OUTSIDE_H
#define AM_OUTSIDE_H

#include "api/session.h"
#include "tune/uncertainty.h"

/* Reads other data with the model's normalisation; `path` names the model in errors. */
am_status outside_load(const session *s, const char *path, const char *source, am_data **data,
                       am_error *err);
/* AM_ERR_USAGE unless the draws are of a classifier; AM_ERR_INPUT unless the data's inputs are those
 * of the model, normalised alike. */
am_status outside_check(const session *s, const am_data *data, am_error *err);

/* row (*n), fresh: the data's test rows, or all of its rows where it has none. */
am_status outside_measure(const session *s, const model_set *set, const am_data *data,
                          row_uncertainty **row, int64_t *n, am_error *err);

#endif
