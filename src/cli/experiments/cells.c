#include "cli/experiments/cells.h"

#include <stdarg.h>
#include <string.h>

enum { MOST_CELLS = 16, LONGEST_ROW = 1024 };

/* Cuts the text at '|' into `columns` cells. */
static void cut(char *text, int columns, const char **cell)
{
    for (int j = 0; j < columns; j++) {
        char *part = text != NULL ? strsep(&text, "|") : NULL;
        cell[j] = part != NULL ? part : "";
    }
}

cells cells_open(const char *header)
{
    char text[LONGEST_ROW];
    const char *cell[MOST_CELLS];
    cells c = {.columns = 1};
    for (const char *at = header; *at != '\0'; at++)
        c.columns += *at == '|';
    c.columns = AM_MIN(c.columns, MOST_CELLS);
    (void)snprintf(text, sizeof text, "%s", header);
    cut(text, c.columns, cell);
    c.table = table_new(c.columns, cell);
    c.failed = c.table == NULL;
    return c;
}

void cells_row(cells *c, const char *format, ...)
{
    char text[LONGEST_ROW];
    const char *cell[MOST_CELLS];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cut(text, c->columns, cell);
    c->failed = c->failed || !table_row(c->table, cell);
}

am_status cells_print(cells *c, am_error *err)
{
    if (!c->failed)
        table_print(c->table, stdout);
    table_free(c->table);
    c->table = NULL;
    return c->failed ? am_fail(err, AM_ERR_MEMORY, "table of the experiment: no memory") : AM_OK;
}
