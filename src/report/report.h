/* report — results for people and machines: text tables, CSV, JSON, SVG figures. Knows nothing of
 * models; it is handed numbers. */
#ifndef AM_REPORT_H
#define AM_REPORT_H

#include "base/base.h"

#include <cjson/cJSON.h>

/* table.c — a table of text cells, aligned by display width (UTF-8). A column whose cells are all
 * numbers ("0.96", "96.5 %", "1e-5 ± 2e-6", "12.3 s"; blank, "-", "–", "—", "nan", "n/a" do not
 * count) stands to the right. */
typedef struct report_table report_table;
report_table *table_new(int columns, const char *const *header); /* NULL: no memory */
/* Adds a row of `columns` cells (copied). false: no memory. */
bool table_row(report_table *table, const char *const *cell);
/* Box-free layout: header, a rule of ─, rows; two spaces between columns. */
void table_print(const report_table *table, FILE *stream);
am_status table_write_csv(const report_table *table, const char *path, am_error *err);
void table_free(report_table *table);

/* csv.c — numeric columns to a CSV (RFC 4180 with \n): header, then rows with the shortest text
 * that reads back as the same float/double (am_number_text). NaN is written as an empty field. */
typedef struct {
    const char *name;
    const double *value;
} csv_column;
am_status csv_write(const char *path, const csv_column *column, int columns, int64_t rows,
                    am_error *err);

/* npz.c — arrays by name in one file that numpy.load reads, appearing when complete like all others.
 * The same arrays give the same bytes. */
typedef enum { NPZ_F32, NPZ_F64, NPZ_I64 } npz_dtype;
enum { NPZ_MOST_RANK = 3 };
typedef struct {
    const char *name; /* letters, digits and '_' */
    npz_dtype dtype;
    int rank; /* 0..NPZ_MOST_RANK */
    int64_t shape[NPZ_MOST_RANK];
    const void *data; /* row-major */
} npz_array;
am_status npz_write(const char *path, const npz_array *array, int count, am_error *err);

/* json.c — cJSON documents, written atomically, indented; numbers that are not finite become null.
 */
am_status json_write(const char *path, const cJSON *document, am_error *err);
/* Adds `value` under `key`: null when not finite. */
void json_number(cJSON *object, const char *key, double value);

/* chart.c — a line chart on a logarithmic or linear x axis, as one self-contained SVG that is
 * legible in light and dark surroundings and in print. Texts are UTF-8; NULL where there is none.
 */
typedef struct {
    const char *label;
    int64_t count;
    const double *x, *y;
    const double *low, *high; /* band (error bars for marks), or NULL */
    bool marks;               /* points instead of a line */
    bool small;               /* marks: small dots that show how dense they lie, for hundreds */
} chart_series;
typedef struct {
    double x;
    const char *label; /* "chosen λ = 4.28e-05" */
} chart_rule;          /* vertical line */
typedef struct {
    const char *title, *x_label, *y_label;
    bool log_x, percent_y; /* percent_y: axis labels as 96.5 % for y in 0..1 */
    const chart_series *series;
    int series_count;
    const chart_rule *rule;
    int rule_count;
} chart_panel;
/* Panels stand one above the other and share the width; neighbours with the same x_label share the
 * axis. Points that are NaN, infinite, beyond ±1e300 or, on a logarithmic axis, at x ≤ 0 are left
 * out and interrupt the line. */
am_status chart_write_svg(const char *path, const char *title, const chart_panel *panel,
                          int panel_count, am_error *err);

/* terminal_chart.c — the same panels in characters, for a terminal: lines are braille dots, bands are
 * shaded, marks circles. Error bars are left out. */
typedef struct {
    int columns;       /* of the terminal, from CHART_LEAST_COLUMNS up */
    int rows;          /* of every plot, from 4 up */
    bool utf8, colour; /* utf8 false: ASCII */
} chart_terminal;
enum { CHART_LEAST_COLUMNS = 40 };
am_status chart_print(const char *title, const chart_panel *panel, int panel_count,
                      const chart_terminal *terminal, FILE *stream, am_error *err);

/* forest.c — intervals by name, one line a name, as one self-contained SVG in the charts' style.
 * Every series has its own colour and its own place in the line; what is not finite is left out. */
typedef struct {
    const char *label;
    const double *at, *low, *high; /* (names) point and ends */
} forest_series;
am_status forest_write_svg(const char *path, const char *title, const char *x_label,
                           const char *const *name, int names, const forest_series *series,
                           int series_count, am_error *err);

#endif
