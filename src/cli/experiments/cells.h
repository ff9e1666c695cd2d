/* cells — rows of a table from one format. */
#ifndef AM_EXPERIMENTS_CELLS_H
#define AM_EXPERIMENTS_CELLS_H

#include "report/report.h"

/* A table that is filled by formats; the first failure of memory is kept until cells_print. */
typedef struct {
    report_table *table;
    int columns;
    bool failed;
} cells;

/* The header's cells are parted by '|'. */
cells cells_open(const char *header);
/* One row, its cells parted by '|'; missing ones at the end are empty. */
void cells_row(cells *c, const char *format, ...) AM_PRINTF(2, 3);
/* Prints on stdout and frees; AM_ERR_MEMORY when a row was lost. */
am_status cells_print(cells *c, am_error *err);

#endif
