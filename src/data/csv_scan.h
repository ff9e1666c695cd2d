/* csv_scan — cuts a CSV file (RFC 4180, plain or gzip) into records of text fields; knows nothing
 * of what they mean. */
#ifndef AM_CSV_SCAN_H
#define AM_CSV_SCAN_H

#include "data/gz.h"

typedef struct {
    int64_t line; /* the record's first line, from 1 */
    int fields;
    bool blank; /* an empty line */

    /* private */
    gz_input in;
    char *block; /* (CSV_BLOCK) bytes read ahead: at ≤ i < end */
    size_t at, end;
    int64_t next_line;
    char *text; /* the record's fields, each ending in NUL */
    size_t used, room;
    size_t *start; /* (fields) where each begins in text */
    int start_room;
} csv_scan;

am_status csv_scan_open(csv_scan *scan, const char *path, am_error *err);
/* The next record; *more is false at the end of the file. Blanks round a field are cut off, quotes
 * resolved, line breaks inside quotes become blanks. Control bytes are an error. */
am_status csv_scan_next(csv_scan *scan, bool *more, am_error *err);
void csv_scan_close(csv_scan *scan); /* safe on a zeroed one and after a failed open */

/* Valid until the next record. */
static inline const char *csv_field(const csv_scan *scan, int i)
{
    return scan->text + scan->start[i];
}

#endif
