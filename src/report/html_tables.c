/* Any JSON document as lists and tables: numbers and texts of an object in one list, objects that hold
 * nothing else side by side in one table, arrays of objects as tables, all else under headings. */
#include "report/html.h"
#include "report/svg.h"

#include <string.h>

enum { LONG_TABLE = 14, MOST_COLUMNS = 24, MOST_NAME = 96 };

static bool is_plain(const cJSON *item)
{
    return cJSON_IsNumber(item) || cJSON_IsString(item) || cJSON_IsBool(item) || cJSON_IsNull(item);
}

/* An object of at least one value, all of them plain. */
static bool is_flat(const cJSON *item)
{
    if (!cJSON_IsObject(item) || item->child == NULL)
        return false;
    for (const cJSON *c = item->child; c != NULL; c = c->next)
        if (!is_plain(c))
            return false;
    return true;
}

static bool is_table(const cJSON *item)
{
    return cJSON_IsArray(item) && item->child != NULL && cJSON_IsObject(item->child);
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void put_value(FILE *stream, const char *key, const cJSON *item)
{
    if (cJSON_IsString(item))
        svg_text(stream, item->valuestring);
    else if (cJSON_IsBool(item))
        fputs(cJSON_IsTrue(item) ? "yes" : "no", stream);
    else if (!cJSON_IsNumber(item))
        fputs("–", stream);
    else if (begins_with(key, "lambda"))
        html_lambda(stream, item->valuedouble);
    else
        html_number(stream, item->valuedouble);
}

/* ---- tables ------------------------------------------------------------------------------------ */

/* Columns of a table: paths such as "mle.mu", in order of appearance. */
typedef struct {
    int count;
    char name[MOST_COLUMNS][MOST_NAME];
    bool number[MOST_COLUMNS]; /* a cell of it holds one */
} columns;

static void add_column(columns *c, const char *name, const cJSON *cell)
{
    int i = 0;
    while (i < c->count && strcmp(c->name[i], name) != 0)
        i++;
    if (i == MOST_COLUMNS)
        return;
    if (i == c->count)
        (void)snprintf(c->name[c->count++], MOST_NAME, "%s", name);
    c->number[i] = c->number[i] || !cJSON_IsString(cell);
}

static void collect_columns(columns *c, const cJSON *row)
{
    char name[MOST_NAME];
    for (const cJSON *item = row->child; item != NULL; item = item->next) {
        if (is_plain(item))
            add_column(c, item->string, item);
        for (const cJSON *in = is_flat(item) ? item->child : NULL; in != NULL; in = in->next) {
            (void)snprintf(name, sizeof name, "%.40s.%.40s", item->string, in->string);
            add_column(c, name, in);
        }
    }
}

/* The item at "key" or "key.key" of a row; *key: the last of them. */
static const cJSON *cell_of(const cJSON *row, const char *path, const char **key)
{
    const char *dot = strchr(path, '.');
    char first[MOST_NAME];
    *key = path;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, path);
    if (item != NULL || dot == NULL)
        return item;
    (void)snprintf(first, sizeof first, "%.*s", (int)(dot - path), path);
    *key = dot + 1;
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(row, first), dot + 1);
}

static void put_cell(FILE *stream, const cJSON *row, const char *column)
{
    const char *key;
    const cJSON *item = cell_of(row, column, &key);
    fputs(cJSON_IsString(item) ? "<td class=text>" : "<td>", stream);
    if (item != NULL)
        put_value(stream, key, item);
    fputs("</td>", stream);
}

/* Long tables are folded away; wide ones scroll in their own box. */
static void begin_table(FILE *stream, const char *caption, int rows)
{
    if (rows > LONG_TABLE) {
        fputs("<details class=long><summary>", stream);
        html_key(stream, caption);
        fprintf(stream, " <span class=quiet>%d rows</span></summary>", rows);
    }
    fputs("<div class=scroll tabindex=0 role=region aria-label=\"", stream);
    html_key(stream, caption);
    fputs("\"><table>", stream);
    if (rows <= LONG_TABLE && caption[0] != '\0') {
        fputs("<caption>", stream);
        html_key(stream, caption);
        fputs("</caption>", stream);
    }
}

static void end_table(FILE *stream, int rows)
{
    fputs("</tbody></table></div>\n", stream);
    if (rows > LONG_TABLE)
        fputs("</details>\n", stream);
}

static void put_head(FILE *stream, const columns *c, bool named)
{
    fputs("<thead><tr>", stream);
    if (named)
        fputs("<td></td>", stream);
    for (int j = 0; j < c->count; j++) {
        fputs(c->number[j] ? "<th scope=col>" : "<th scope=col class=text>", stream);
        html_key(stream, c->name[j]);
        fputs("</th>", stream);
    }
    fputs("</tr></thead><tbody>\n", stream);
}

static void put_row(FILE *stream, const columns *c, const cJSON *row, bool named)
{
    fputs("<tr>", stream);
    if (named) {
        fputs("<th scope=row>", stream);
        html_key(stream, row->string);
        fputs("</th>", stream);
    }
    for (int j = 0; j < c->count; j++)
        put_cell(stream, row, c->name[j]);
    fputs("</tr>\n", stream);
}

void html_table(FILE *stream, const cJSON *rows, const char *caption)
{
    columns c = {0};
    int count = cJSON_GetArraySize(rows);
    for (const cJSON *row = rows->child; row != NULL; row = row->next)
        collect_columns(&c, row);
    begin_table(stream, caption, count);
    put_head(stream, &c, false);
    for (const cJSON *row = rows->child; row != NULL; row = row->next)
        put_row(stream, &c, row, false);
    end_table(stream, count);
}

/* ---- lists ------------------------------------------------------------------------------------- */

static void put_heading(FILE *stream, const char *key, int level)
{
    fprintf(stream, "<h%d>", AM_MIN(level, 6));
    html_key(stream, key != NULL ? key : "");
    fprintf(stream, "</h%d>\n", AM_MIN(level, 6));
}

static void put_list(FILE *stream, const cJSON *object)
{
    bool any = false;
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        if (!is_plain(item) || cJSON_IsNull(item))
            continue;
        fputs(any ? "" : "<dl>", stream);
        any = true;
        fputs("<div><dt>", stream);
        html_key(stream, item->string);
        fputs("</dt><dd>", stream);
        put_value(stream, item->string, item);
        fputs("</dd></div>\n", stream);
    }
    fputs(any ? "</dl>\n" : "", stream);
}

/* Flat objects that stand one after the other and share a key make one table, a row each; one alone is
 * a list of its own. Returns what follows them. */
static bool share_key(const cJSON *a, const cJSON *b)
{
    for (const cJSON *c = a->child; c != NULL; c = c->next)
        if (cJSON_HasObjectItem(b, c->string))
            return true;
    return false;
}

static const cJSON *put_flat_ones(FILE *stream, const cJSON *first, int level)
{
    columns c = {0};
    int count = 0;
    const cJSON *end = first;
    for (; end != NULL && is_flat(end) && (end == first || share_key(first, end));
         end = end->next, count++)
        collect_columns(&c, end);
    if (count == 1) {
        put_heading(stream, first->string, level);
        put_list(stream, first);
        return end;
    }
    begin_table(stream, "", count);
    put_head(stream, &c, true);
    for (const cJSON *item = first; item != end; item = item->next)
        put_row(stream, &c, item, true);
    end_table(stream, count);
    return end;
}

/* An array of plain values in one line. */
static void put_values(FILE *stream, const cJSON *array)
{
    fputs("<p class=values>", stream);
    html_key(stream, array->string != NULL ? array->string : "");
    fputs(": ", stream);
    for (const cJSON *item = array->child; item != NULL; item = item->next) {
        put_value(stream, array->string != NULL ? array->string : "", item);
        fputs(item->next != NULL ? ", " : "", stream);
    }
    fputs("</p>\n", stream);
}

void html_tables(FILE *stream, const cJSON *object, int level)
{
    put_list(stream, object);
    for (const cJSON *item = object->child; item != NULL;) {
        if (is_flat(item)) {
            item = put_flat_ones(stream, item, level);
            continue;
        }
        if (is_table(item)) {
            html_table(stream, item, item->string != NULL ? item->string : "");
        } else if (cJSON_IsArray(item) && item->child != NULL) {
            put_values(stream, item);
        } else if (cJSON_IsObject(item) && item->child != NULL) {
            put_heading(stream, item->string, level);
            html_tables(stream, item, level + 1);
        }
        item = item->next;
    }
}
