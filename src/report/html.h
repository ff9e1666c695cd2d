/* html — one self-contained page: verdict, interactive charts, figures, tables. Knows nothing of
 * models; it is handed JSON, texts and arrays. Texts may come from file names and data: whatever is
 * written is escaped for where it stands. */
#ifndef AM_HTML_H
#define AM_HTML_H

#include "report/report.h"

/* A file of the results that the page shows or hands out. */
typedef struct {
    const char *name; /* "curve.svg" */
    const char *text;
    size_t size;
} html_file;

/* An array that the page's program reads. */
typedef enum {
    HTML_BYTES, /* (count) bytes, base64 */
    HTML_INT16, /* (count) little-endian, base64 */
    HTML_FLOAT, /* (count) little-endian, base64 */
    HTML_INT12  /* (count) int16_t in ±2047: two base64 digits each, of value + 2048 */
} html_encoding;
typedef struct {
    const char *name; /* letters and hyphens */
    html_encoding encoding;
    const void *value;
    int64_t count;
} html_array;

/* A JSON document of the results, shown as lists and tables. */
typedef struct {
    const char *title;
    const cJSON *json; /* an object, or an array of objects */
} html_document;

typedef struct {
    const char *title, *subtitle;
    const cJSON *verdict;  /* html_verdict.c says which keys; or NULL */
    const cJSON *explorer; /* what the page's program shows along λ; or NULL */
    const char *notice;    /* what is missing from the page and why, or NULL */
    const cJSON *ledger;   /* array of objects, one a row; or NULL */
    const cJSON *run;      /* {command, settings, environment}; or NULL */
    const html_document *document;
    int documents;
    const html_file *file; /* *.svg are shown, all are handed out */
    int files;
    const html_array *array;
    int arrays;
} html_page;

/* Whether this build carries the chart library; without it html_write refuses (AM_ERR_IO). */
bool html_available(void);
am_status html_write(const char *path, const html_page *page, am_error *err);

/* ---- pieces, private to the report room -------------------------------------------------------- */

/* html_text.c. A JSON text stands in a script element: no '<' is left in it. */
void html_json(FILE *stream, const char *json);
void html_base64(FILE *stream, const void *bytes, size_t size);
void html_array_text(FILE *stream, const html_array *array);
/* "2.98 × 10⁻⁴" with <sup>; 0.001 to 9999 plainly. */
void html_lambda(FILE *stream, double lambda);
/* A number for people: four significant digits, grouped whole numbers, "–" when there is none. */
void html_number(FILE *stream, double value);
/* A key for people: "val_nll" → "val nll". */
void html_key(FILE *stream, const char *key);

/* html_verdict.c — the cards, alarms and verdicts at the top. */
void html_verdict(FILE *stream, const cJSON *verdict);
/* html_tables.c — any JSON document as headed lists and tables; level: of its headings. */
void html_tables(FILE *stream, const cJSON *object, int level);
/* One table: an array of objects, its columns their keys in order of appearance. */
void html_table(FILE *stream, const cJSON *rows, const char *caption);

static inline const char *json_text(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}
/* NaN where there is none. */
double json_value_of(const cJSON *object, const char *key);

/* html_embedded.c — the page's own parts, put into the program by the build. */
typedef struct {
    const char *begin;
    size_t size;
} html_part;
html_part html_style(void);
html_part html_explorer(void);      /* the explorer's elements, without data */
html_part html_script(void);        /* the page's own */
html_part html_chart_library(void); /* size 0: not in this build */
html_part html_chart_licence(void);

#endif
