/* mest_data — a CSV as an M-estimation problem: design, units, response.
 *
 * With an intercept, columns are centred and divided by their standard deviation, and the response of
 * a regression is shifted by its median; without one, columns are divided by their root mean square.
 * The penalty acts on coefficients of the standardised columns; every coefficient that is reported is
 * in the original units: β_j/sd_j, and intercept β_0 + shift − Σ_j β_j·mean_j/sd_j. */
#ifndef AM_CLASSIC_MEST_DATA_H
#define AM_CLASSIC_MEST_DATA_H

#include "classic/mest.h"
#include "data/data.h"

typedef struct {
    int n, q;
    bool intercept;
    char **name;       /* (q), owned; the intercept's is "(intercept)" */
    double *x;         /* (n × q) standardised */
    double *y;         /* (n) as the loss wants it */
    double *mean, *sd; /* (q); 0 and 1 for the intercept */
    double shift;      /* of y */
    char *label;       /* the response's column */
    char *class_name;  /* the class that y = 1 stands for, or NULL */
} mest_data;

/* From rows in memory: x (n × columns) column-major and names (columns). Takes no ownership. The
 * messages begin with `source`. AM_ERR_INPUT: a constant column (with an intercept), labels that the
 * loss cannot take. */
typedef struct {
    const char *source, *label;
    int n, columns;
    const double *x;
    const double *y;
    const char *const *name;
    const char *const *class_name; /* names of y = 0, 1, … when the label is text, else NULL */
    int class_count;
} mest_table;
am_status mest_data_make(const mest_table *table, classic_loss_kind loss, bool intercept,
                         bool standardise, mest_data *data, am_error *err);
/* From a CSV file; label NULL: the last column. */
am_status mest_data_read(const char *path, const char *label, classic_loss_kind loss,
                         bool intercept, bool standardise, mest_data *data, am_error *err);
void mest_data_free(mest_data *data); /* safe on a zeroed one */

/* AM_ERR_INPUT when columns are combinations of others: names the first such column. */
am_status mest_data_check_rank(const mest_data *data, am_error *err);
/* A robust scale of the residuals of the LAD fit, 1.4826·MAD; of the response itself when there are
 * as many coefficients as rows. AM_ERR_INPUT when it is 0. */
am_status mest_data_scale(const mest_data *data, double *scale, am_error *err);
/* β (q) of the standardised problem → original units; a difference of two such vectors too, with
 * shift false. */
void mest_data_restore(const mest_data *data, bool shift, double *beta);

#endif
